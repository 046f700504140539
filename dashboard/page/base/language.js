/** The language of the page: its texts, and how numbers, times and dates are written. */

import { FIRST, LANGUAGES } from "../languages/languages.js";
import { remember, remembered } from "./memory.js";
import "../vendor/fluent-bundle-0.19.1.js";

/** @typedef {string | number} Value of a placeholder in a text */

const TIMEOUT = 15_000; // milliseconds
const CHOICE = "footfall language"; // where the browser remembers the language that was chosen

/** Catalogues, the language of the page first. @type {any[]} because Fluent has no types here */
let bundles = [];
let locale = `${FIRST}-${LANGUAGES[FIRST].regions[0]}`;
/** @type {Map<string, any>} */
const formats = new Map();

/**
 * Returns the language to show: the one that the viewer chose, else the first that the page has a catalogue of.
 *
 * @param {string | null} chosen
 * @param {string} site the site's locale, such as de-CH; empty if it has none
 * @param {readonly string[]} preferred the browser's languages
 */
export function languageOf(chosen, site, preferred) {
  const tags = [chosen ?? "", site, ...preferred];
  return tags.map((tag) => tag.split("-")[0].toLowerCase()).find((tag) => Object.hasOwn(LANGUAGES, tag)) ?? FIRST;
}

/**
 * Returns the locale of numbers and dates: words in the page's language, as they are written in the site's region.
 *
 * @param {string} language
 * @param {string} site the site's locale; empty if it has none
 * @param {readonly string[]} preferred the browser's languages
 */
export function localeOf(language, site, preferred) {
  const regions = [site, preferred.find((tag) => tag.startsWith(language)) ?? ""].map(regionOf);
  return `${language}-${regions.find(Boolean) ?? LANGUAGES[language].regions[0]}`;
}

/** @param {string} tag */
function regionOf(tag) {
  try {
    return new Intl.Locale(tag).region ?? "";
  } catch {
    return "";
  }
}

/**
 * Sets the language of the page.
 *
 * @param {string} newLocale of numbers and dates
 * @param {string[]} catalogues in Fluent's format, the page's language first
 */
export function setLanguage(newLocale, catalogues) {
  const { FluentBundle, FluentResource } = /** @type {any} */ (globalThis).FluentBundle;
  locale = newLocale;
  formats.clear();
  bundles = catalogues.map((catalogue) => {
    const bundle = new FluentBundle(newLocale, { useIsolating: false });
    bundle.addResource(new FluentResource(catalogue));
    return bundle;
  });
}

/**
 * Loads the language of the page, and fills in the texts of its HTML. Until then there are no texts: modules must not ask for any
 * when they are imported. Throws if the server does not respond.
 *
 * @param {string} site the site's locale, such as de-CH; empty if it has none
 */
export async function startLanguage(site) {
  const wanted = wantedLanguage(site);
  const names = [...new Set([wanted.language, FIRST])];
  setLanguage(wanted.locale, await Promise.all(names.map(loadedCatalogue)));
  document.documentElement.lang = wanted.language;
  translate(document);
}

/** Returns a catalogue; an empty one if it is missing on the server, so that the page is in `FIRST`. @param {string} language */
async function loadedCatalogue(language) {
  const response = await loaded(`/languages/${language}.ftl`, language === FIRST ? [] : [404]);
  return response.ok ? response.text() : "";
}

/**
 * Returns the response to a GET. Throws if there is none, or another status than 200 and those expected.
 *
 * @param {string} path
 * @param {number[]} [expected]
 * @returns {Promise<Response>}
 */
export async function loaded(path, expected = []) {
  const response = await fetch(path, { signal: AbortSignal.timeout(TIMEOUT) });
  if (!response.ok && !expected.includes(response.status)) throw new Error(`${path}: ${response.status}`);
  return response;
}

/** Whether the page is shown in the language and locale of a site. @param {string} site its locale; empty if it has none */
export function isLocaleCurrent(site) {
  const wanted = wantedLanguage(site);
  return wanted.locale === locale && wanted.language === document.documentElement.lang;
}

/** Returns the language of the page, and the locale of numbers and dates. @param {string} site the site's locale */
export function wantedLanguage(site) {
  const language = languageOf(remembered(CHOICE), site, navigator.languages);
  return { language, locale: localeOf(language, site, navigator.languages) };
}

/** Offers the languages of the page. @param {HTMLSelectElement} menu */
export function offerLanguages(menu) {
  menu.replaceChildren(
    ...Object.entries(LANGUAGES).map(([language, { name }]) => {
      const option = new Option(name, language);
      option.lang = language;
      return option;
    }),
  );
  menu.value = document.documentElement.lang;
  menu.addEventListener("change", () => chooseLanguage(menu.value));
}

/** Shows the page in another language from now on. @param {string} language */
function chooseLanguage(language) {
  remember(CHOICE, language);
  location.reload();
}

/**
 * Returns a text in the page's language.
 *
 * @param {string} id in the catalogue
 * @param {Record<string, Value>} [values] of its placeholders; numbers are written as in the locale
 */
export function text(id, values = {}) {
  for (const bundle of bundles) {
    const message = bundle.getMessage(id);
    if (message?.value) return /** @type {string} */ (bundle.formatPattern(message.value, values, []));
  }
  return id;
}

/** Whether there is a text with this id. @param {string} id */
export function hasText(id) {
  return bundles.some((bundle) => bundle.hasMessage(id));
}

/** Fills the elements that name their text by `data-text`, and their accessible name by `data-name`. @param {ParentNode} root */
export function translate(root) {
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-text]"))) {
    node.textContent = text(node.dataset.text ?? "");
  }
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-name]"))) {
    node.setAttribute("aria-label", text(node.dataset.name ?? ""));
  }
}

/** Begins a text with a capital letter. @param {string} text */
export function capitalised(text) {
  return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
}

/** @param {number} value @param {Intl.NumberFormatOptions} [options] */
export function number(value, options = { maximumFractionDigits: 2 }) {
  return /** @type {Intl.NumberFormat} */ (format(Intl.NumberFormat, options)).format(value);
}

/** Returns a share in whole percents; "<1%" if that would be 0 for something. @param {number} share 0..1 */
export function percent(share) {
  const isTiny = share > 0 && share < 0.005;
  return isTiny ? `<${number(0.01, { style: "percent" })}` : number(share, { style: "percent" });
}

/** Returns a locale in words, such as "German (Switzerland)". @param {string} tag such as de-CH */
export function localeName(tag) {
  const names = /** @type {Intl.DisplayNames} */ (format(Intl.DisplayNames, { type: "language", languageDisplay: "standard" }));
  return names.of(tag) ?? tag;
}

/** Joins parts, such as "a, b and c". @param {string[]} parts */
export function listed(parts) {
  return /** @type {Intl.ListFormat} */ (format(Intl.ListFormat, { type: "conjunction" })).format(parts);
}

/**
 * Writes a time or a day.
 *
 * @param {number} local seconds whose UTC form reads as the local time
 * @param {Intl.DateTimeFormatOptions} options
 */
export function date(local, options) {
  return /** @type {Intl.DateTimeFormat} */ (format(Intl.DateTimeFormat, { ...options, timeZone: "UTC" })).format(1000 * local);
}

/**
 * Writes a range of days, such as "23 – 29 November 2026".
 *
 * @param {number} from seconds, as in `date`
 * @param {number} to the last day
 * @param {Intl.DateTimeFormatOptions} options
 */
export function dateRange(from, to, options) {
  const range = /** @type {Intl.DateTimeFormat} */ (format(Intl.DateTimeFormat, { ...options, timeZone: "UTC" }));
  return range.formatRange(1000 * from, 1000 * to);
}

/** Returns an hour of the day on a scale, such as "09" or "9 AM". @param {string} hour 00 to 23 */
export function hourName(hour) {
  return hasHalves() ? date(3600 * Number(hour), { hour: "numeric" }) : hour;
}

/** Returns when an hour of the day begins, such as "09:00" or "09:00 AM". @param {string} hour 00 to 23 */
export function hourBegin(hour) {
  return date(3600 * Number(hour), { hour: "2-digit", minute: "2-digit" });
}

/** Returns an hour of the day from its begin to its end, such as "09–10 h" or "9 – 10 AM". @param {string} hour 00 to 23 */
export function hourText(hour) {
  const next = (Number(hour) + 1) % 24;
  if (!hasHalves()) return text("hour", { from: hour, to: String(next).padStart(2, "0") });
  const range = /** @type {Intl.DateTimeFormat} */ (format(Intl.DateTimeFormat, { hour: "numeric", timeZone: "UTC" }));
  return next ? range.formatRange(3600_000 * Number(hour), 3600_000 * next) : `${hourName(hour)} – ${hourName("00")}`;
}

/** Whether the hours of a day are numbered to 12, twice. */
function hasHalves() {
  const options = /** @type {Intl.DateTimeFormat} */ (format(Intl.DateTimeFormat, { hour: "numeric" })).resolvedOptions();
  return options.hourCycle === "h12" || options.hourCycle === "h11";
}

/** Returns a format of Intl, which takes long to create. @param {any} kind @param {object} options @returns {unknown} */
function format(kind, options) {
  const key = kind.name + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new kind(locale, options));
  return formats.get(key);
}
