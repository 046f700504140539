/** Loads a catalogue of the page's texts, as the page does in a browser. */

import { readFileSync } from "node:fs";

const page = new URL("../../../dashboard/page/", import.meta.url);
const { setLanguage } = await import(new URL("base/language.js", page));

/** @param {string} language @param {string} locale of numbers and dates */
export function speak(language, locale) {
  setLanguage(locale, [language, "en"].map((name) => readFileSync(new URL(`languages/${name}.ftl`, page), "utf-8")));
}

speak("en", "en-GB");
