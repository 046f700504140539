/** The catalogues of texts: complete, the same in each language, and used. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { speak } from "./catalogue.mjs";

const page = new URL("../../../dashboard/page/", import.meta.url);
const { LANGUAGES, FIRST } = await import(new URL("languages/languages.js", page));
const { languageOf, localeOf, text } = await import(new URL("base/language.js", page));
const { FluentResource } = globalThis.FluentBundle;

const read = (name) => readFileSync(new URL(name, page), "utf-8");
const files = readdirSync(page, { recursive: true }).filter((name) => /\.(js|html)$/.test(name) && !/^(vendor|languages)/.test(name));
const sources = files.map((name) => [name, read(name)]);

/** Ids that code composes of variables alone, and how. The rest of this file checks all others. */
const COMPOSED = {
  "${large}-${small}": ["minutes-seconds", "hours-minutes"], // base/times.js
};
const SIGN_IN = /_form\(request, "([a-z]+)"/g; // dashboard/sign_in.py

/** Returns the messages of a catalogue: the names of their variables, by their ids. */
function messagesOf(language) {
  const { body } = new FluentResource(read(`languages/${language}.ftl`));
  return new Map(body.map(({ id, value }) => [id, [...new Set(variablesOf(value))].sort()]));
}

function variablesOf(pattern) {
  if (Array.isArray(pattern)) return pattern.flatMap(variablesOf);
  if (pattern?.type === "var") return [pattern.name];
  if (pattern?.type === "func") return pattern.args.flatMap(variablesOf);
  if (pattern?.type === "select") return [pattern.selector, ...pattern.variants.map(({ value }) => value)].flatMap(variablesOf);
  return [];
}

const first = messagesOf(FIRST);

for (const language of Object.keys(LANGUAGES)) {
  test(`the catalogue ${language} has each text once, with the same placeholders as the first one`, () => {
    const ids = read(`languages/${language}.ftl`).match(/^[a-z][\w-]*(?= =)/gim);
    assert.deepEqual(ids.filter((id, index) => ids.indexOf(id) !== index), [], "texts that occur twice");
    const messages = messagesOf(language);
    assert.deepEqual([...messages.keys()].sort(), ids.sort(), "Fluent cannot read the others");
    assert.deepEqual(Object.fromEntries([...messages].sort()), Object.fromEntries([...first].sort()));
  });
}

test("each text that the page asks for exists", () => {
  const asked = /\b(?:text|hasText)\(\s*"([^"]+)"|data-(?:text|name)="([^"]+)"|\{\{ (sign-in[\w-]*) \}\}/g;
  const found = sources.flatMap(([name, source]) => [...source.matchAll(asked)].map((match) => [name, match[1] ?? match[2] ?? match[3]]));
  assert.ok(found.length > 200);
  assert.deepEqual(found.filter(([, id]) => !first.has(id)), []);
});

test("each text is used", () => {
  // an id is used if it is a text in code, an attribute, or fits a template such as `camera-state-${state}`
  const code = sources.map(([, source]) => source).join("\n");
  const literals = new Set([...code.matchAll(/["'{]\s?([a-z][\w-]*)\s?["'}]/g)].map((match) => match[1]));
  const templates = [...code.matchAll(/`([a-z-]*-\$\{[^`]*|\$\{[^`{}]*\}-[a-z-]+)`/g)].map((match) => match[1]);
  const patterns = templates.map((template) => new RegExp(`^${template.replace(/\$\{[^}]*\}/g, "[\\w-]+")}$`));
  const server = readFileSync(new URL("../sign_in.py", page), "utf-8");
  const others = new Set([...Object.values(COMPOSED).flat(), ...[...server.matchAll(SIGN_IN)].map((match) => `sign-in-${match[1]}`)]);
  for (const template of Object.keys(COMPOSED)) assert.ok(code.includes(`\`${template}\``), template);
  const unused = [...first.keys()].filter((id) => !literals.has(id) && !others.has(id) && !patterns.some((one) => one.test(id)));
  assert.deepEqual(unused, []);
});

test("a text that a catalogue lacks is shown in the first language", () => {
  speak("de", "de-CH");
  assert.equal(text("view-reports"), "Berichte");
  assert.equal(text("no-such-text"), "no-such-text");
});

for (const [chosen, site, browser, language, locale] of [
  [null, "", ["de-AT", "en"], "de", "de-AT"],
  [null, "", ["de"], "de", "de-DE"],
  [null, "", ["fr-CH"], "en", "en-GB"],
  [null, "de-CH", ["en-US"], "de", "de-CH"],
  ["en", "de-CH", ["de-DE"], "en", "en-CH"],
  [null, "nl-NL", ["en-US"], "en", "en-NL"],
  ["klingon", "nonsense!", [], "en", "en-GB"],
]) {
  test(`the language of ${chosen}, the site's ${site} and the browser's ${browser} is ${language}, written as ${locale}`, () => {
    assert.deepEqual([languageOf(chosen, site, browser), localeOf(language, site, browser)], [language, locale]);
  });
}
