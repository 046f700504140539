/** The form for the names of the place and of its labels, their colours, and how dates are written. */

/** @import { Labels } from "../base/labels.js" */
/** @import { Site, SiteLabel, State } from "../base/messages.js" */

import { themeColour } from "../base/canvas-colours.js";
import { GROUNDS, areSimilar, asHex, readable } from "../base/colours.js";
import { byId, element, setShown, setText, syncChildren } from "../base/elements.js";
import { UNDECIDED } from "../base/labels.js";
import { localeName, text, wantedLanguage } from "../base/language.js";
import { LANGUAGES } from "../languages/languages.js";
import { save } from "../base/saving.js";

const EXAMPLE = { date: Date.UTC(2026, 11, 24, 17, 30), number: 1234.5 };
const NONE = { name: null, locale: null, labels: [] };

export class SiteForm {
  #name = /** @type {HTMLInputElement} */ (byId("site-name"));
  #locale = /** @type {HTMLSelectElement} */ (byId("site-locale"));
  /** The site that the form shows if nothing was changed in it. @type {Site} */
  #saved = NONE;
  /** The site in the form at that time. @type {Site | null} */
  #before = null;
  #isSaving = false;

  /** @param {Labels} labels @param {() => void} signIn */
  constructor(labels, signIn) {
    this.labels = labels;
    this.signIn = signIn;
    const form = byId("site-form");
    form.addEventListener("input", () => this.#onChange());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
    byId("site-discard").addEventListener("click", () => this.#fill(this.#saved));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#showColours());
    offerLocales(this.#locale);
  }

  /** Whether the form has changes that are not saved. */
  get isChanged() {
    return this.#before !== null && differ(this.#content(), this.#before);
  }

  /** Shows the site. What somebody has changed in the form stays. @param {State} state */
  show({ site, labels, may_set_up: mayChange }) {
    setShown(byId("site"), mayChange && site !== null);
    if (site === null || this.#isSaving) return;
    const isNew = differ(site, this.#saved);
    const [own, before] = this.isChanged ? [this.#content(), this.#before ?? NONE] : [NONE, NONE];
    this.#saved = site;
    this.#syncRows(labels.filter((label) => label !== UNDECIDED));
    if (isNew || own === NONE) this.#fill(site);
    if (isNew) this.#restore(own, before);
  }

  /** Writes into the form what was changed in it, beside what others have saved meanwhile. @param {Site} own @param {Site} before */
  #restore(own, before) {
    if (own.name !== before.name) this.#name.value = own.name ?? "";
    if (own.locale !== before.locale) this.#locale.value = own.locale ?? "";
    for (const row of rows()) {
      const [{ name, colour }, old] = [own, before].map(({ labels }) => ownOf(labels, row.dataset.key));
      if (name !== old.name) parts(row).name.value = name ?? "";
      if (colour !== old.colour) row.dataset.colour = colour ?? "";
    }
    this.#onChange();
  }

  /** Gives each label a row, also those of former models that have names. @param {string[]} labels */
  #syncRows(labels) {
    const all = this.labels.sorted(new Set([...labels, ...this.#saved.labels.map(({ label }) => label)]));
    syncChildren(byId("site-labels"), all, (label) => this.#createRow(label));
    setShown(byId("site-table"), all.length > 0);
    setShown(byId("site-no-labels"), all.length === 0);
  }

  /** @param {string} label */
  #createRow(label) {
    const name = element("input", { class: "own-name", maxlength: "64", "aria-label": text("site-name-of", { label }) });
    const colour = element("input", { type: "color", class: "own-colour", "aria-label": text("site-colour-of", { label }) });
    const reset = element("button", { type: "button", "aria-label": text("site-colour-reset-of", { label }) });
    reset.textContent = text("site-colour-reset");
    colour.addEventListener("input", () => (row.dataset.colour = /** @type {HTMLInputElement} */ (colour).value));
    reset.addEventListener("click", () => {
      row.dataset.colour = "";
      colour.focus();
      this.#onChange();
    });
    const warning = element("p", { class: "colour-warning", role: "status" });
    const chosen = element("td", {}, element("div", {}, colour, reset), warning);
    const row = element("tr", {}, element("th", { scope: "row" }, label), element("td", {}, name), chosen);
    /** @type {HTMLInputElement} */ (name).placeholder = label;
    row.dataset.colour = "";
    return row;
  }

  /** Shows a site in the form. @param {Site} site */
  #fill(site) {
    this.#name.value = site.name ?? "";
    if (site.locale && ![...this.#locale.options].some(({ value }) => value === site.locale)) {
      this.#locale.append(new Option(localeName(site.locale), site.locale));
    }
    this.#locale.value = site.locale ?? "";
    for (const row of rows()) {
      const own = ownOf(site.labels, row.dataset.key);
      parts(row).name.value = own.name ?? "";
      row.dataset.colour = own.colour ?? "";
    }
    this.#before = this.#content();
    this.#onChange();
  }

  /** Returns the site in the form. @returns {Site} */
  #content() {
    const labels = rows().map((row) => ({
      label: row.dataset.key ?? "",
      name: parts(row).name.value.trim() || null,
      colour: row.dataset.colour || null,
    }));
    return {
      name: this.#name.value.trim() || null,
      locale: this.#locale.value || null,
      labels: labels.filter(({ name, colour }) => name || colour),
    };
  }

  #onChange() {
    setText(byId("site-example"), exampleOf(this.#locale.value));
    setShown(byId("site-discard"), this.isChanged);
    if (this.isChanged) this.#say("");
    this.#showColours();
  }

  /** Shows each label's colour, and what is wrong with one that was chosen. */
  #showColours() {
    const ground = matchMedia("(prefers-color-scheme: dark)").matches ? GROUNDS.dark : GROUNDS.light;
    const shown = rows().map((row) => {
      const { colour: own = "", key = "" } = row.dataset;
      const colour = own || asHex(themeColour(this.labels.defaultColour(key)));
      return { row, own, colour, visible: readable(colour, ground), name: parts(row).name.value.trim() || key };
    });
    for (const { row, own, colour, visible } of shown) {
      const similar = shown.find((other) => other.row !== row && areSimilar(visible, other.visible));
      const { input, reset, warning } = parts(row);
      input.value = colour;
      setShown(reset, own !== "");
      setText(warning, own ? warningOf(own, similar?.name) : "");
    }
  }

  async #save() {
    if (this.#isSaving) return;
    this.#isSaving = true;
    this.#say(text("site-saving"));
    const site = this.#content();
    const { problem, at } = await save("/site", site, this.signIn);
    this.#isSaving = false;
    if (!problem) {
      this.#saved = site;
      this.#fill(site);
    }
    const reason = [at, problem].filter(Boolean).join(": ");
    this.#say(problem ? text("not-saved", { problem: reason }) : text("site-saved"), problem !== "");
  }

  /** @param {string} words @param {boolean} [isProblem] */
  #say(words, isProblem = false) {
    byId("site-status").classList.toggle("problem", isProblem);
    setText(byId("site-status"), words);
  }
}

/** @param {SiteLabel[]} labels @param {string} [label] @returns {SiteLabel} without a name and a colour if it is not among them */
function ownOf(labels, label = "") {
  return labels.find((one) => one.label === label) ?? { label, name: null, colour: null };
}

/** @param {Site} one @param {Site} other */
function differ(one, other) {
  return JSON.stringify(one) !== JSON.stringify(other);
}

function rows() {
  return /** @type {HTMLElement[]} */ ([...byId("site-labels").children]);
}

/** @param {HTMLElement} row */
function parts(row) {
  return {
    name: /** @type {HTMLInputElement} */ (row.querySelector(".own-name")),
    input: /** @type {HTMLInputElement} */ (row.querySelector(".own-colour")),
    reset: /** @type {HTMLElement} */ (row.querySelector("button")),
    warning: /** @type {HTMLElement} */ (row.querySelector(".colour-warning")),
  };
}

/** @param {string} colour @param {string} [similar] the name of a label that looks the same */
function warningOf(colour, similar) {
  if (similar) return text("site-similar", { label: similar });
  if (readable(colour, GROUNDS.light) !== colour) return text("site-too-light");
  return readable(colour, GROUNDS.dark) === colour ? "" : text("site-too-dark");
}

/** Offers the locales of all languages of the page. @param {HTMLSelectElement} menu */
function offerLocales(menu) {
  const locales = Object.entries(LANGUAGES).flatMap(([language, { regions }]) => regions.map((region) => `${language}-${region}`));
  const options = locales.map((locale) => new Option(localeName(locale), locale));
  menu.replaceChildren(new Option(text("site-locale-browser"), ""), ...options);
}

/** Returns a date and a number as the page would write them with a site's locale. @param {string} site empty: none */
function exampleOf(site) {
  const { locale } = wantedLanguage(site);
  const date = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "short", timeZone: "UTC" }).format(EXAMPLE.date);
  return text("site-locale-example", { date, number: new Intl.NumberFormat(locale).format(EXAMPLE.number) });
}
