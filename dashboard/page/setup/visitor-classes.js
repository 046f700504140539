/** The choice of the classes that make a visitor. */

/** @import { Labels } from "../base/labels.js" */
/** @import { Draft } from "./draft.js" */

import { byId, element, setAttribute, setShown, setText, syncChildren } from "../base/elements.js";
import { text } from "../base/language.js";

const MAX_CLASSES = 64;
const PERSON = "person"; // the class that alone makes a visitor, unless VISITORS is set

/**
 * Returns the classes with which the choice begins: those that make a visitor now. A model that classifies a detector's visitors
 * has other labels; then it is the class of persons, or else all.
 *
 * @param {string[]} classes of the models
 * @param {string[]} labels that a visitor can have
 */
export function currentClasses(classes, labels) {
  const [visitors, persons] = [labels, [PERSON]].map((names) => {
    const wanted = new Set(names.map((name) => name.toLowerCase()));
    return classes.filter((name) => wanted.has(name.toLowerCase()));
  });
  return [visitors, persons, classes].find(({ length }) => length > 0)?.slice(0, MAX_CLASSES) ?? [];
}

/** Returns how many are ticked, and how many may be. @param {number} ticked @param {number} all */
export function classesNote(ticked, all) {
  return text(all > MAX_CLASSES ? "setup-classes-note-most" : "setup-classes-note", { ticked, all, most: MAX_CLASSES });
}

export class VisitorClasses {
  #default = /** @type {HTMLInputElement} */ (byId("setup-visitors-default"));
  #list = byId("setup-classes");
  #note = byId("setup-classes-note");
  /** @type {string[]} */
  #current = [];
  /** The classes in the order shown. It stays while they are ticked. @type {string[]} */
  #shown = [];
  /** The draft whose classes are shown. @type {Draft | null} */
  #shownDraft = null;

  /** @param {Labels} labels @param {() => Draft} draft @param {() => void} changed */
  constructor(labels, draft, changed) {
    this.labels = labels;
    this.draft = draft;
    this.changed = changed;
    this.#default.addEventListener("change", () => this.#set(this.#default.checked ? null : this.#current));
    this.#list.addEventListener("change", () => this.#set(this.#chosen()));
  }

  /** @param {string[]} classes of the models @param {string[]} labels that a visitor can have */
  show(classes, labels) {
    const { visitors } = this.draft();
    const known = new Set([...(visitors ?? []), ...classes]);
    this.#current = currentClasses(classes, labels);
    this.#sort(known);
    setShown(byId("setup-visitors"), known.size > 0);
    const ticked = visitors?.length ?? 0;
    setText(byId("setup-visitors-title"), text(visitors ? "setup-visitors-own" : "setup-visitors-settings", { ticked }));
    setShown(this.#list, visitors !== null);
    setShown(this.#note, visitors !== null);
    setText(this.#note, classesNote(ticked, known.size));
    setAttribute(this.#note, "class", visitors?.length === 0 ? "problem" : null);
    this.#default.checked = visitors === null;
    const rows = syncChildren(this.#list, this.#shown, (label) =>
      element("label", {}, element("input", { type: "checkbox", value: label }), element("span", {}, this.labels.name(label))),
    );
    for (const box of rows.map(checkbox)) {
      box.checked = visitors?.includes(box.value) ?? false;
      box.disabled = !box.checked && visitors?.length === MAX_CLASSES;
    }
  }

  /** Puts those that are ticked first, when the list appears. @param {Set<string>} known ticked ones first */
  #sort(known) {
    const isNew = this.#shownDraft !== this.draft();
    const before = isNew ? [] : this.#shown.filter((name) => known.has(name));
    this.#shown = this.draft().visitors === null ? [] : [...new Set([...before, ...known])];
    this.#shownDraft = this.draft();
  }

  /** @param {string[] | null} visitors */
  #set(visitors) {
    this.draft().setVisitors(visitors);
    this.changed();
  }

  #chosen() {
    const rows = /** @type {HTMLElement[]} */ ([...this.#list.children]);
    return rows.map(checkbox).flatMap(({ checked, value }) => (checked ? [value] : []));
  }
}

/** @param {HTMLElement} row */
function checkbox(row) {
  return /** @type {HTMLInputElement} */ (row.children[0]);
}
