/** The choice of the classes that make a visitor. */

/** @import { Draft } from "./draft.js" */

import { byId, element, setShown, syncChildren } from "./elements.js";

const MAX_CLASSES = 64;

export class VisitorClasses {
  #default = /** @type {HTMLInputElement} */ (byId("setup-visitors-default"));
  #list = byId("setup-classes");
  /** @type {string[]} */
  #labels = [];

  /** @param {() => Draft} draft @param {() => void} changed */
  constructor(draft, changed) {
    this.draft = draft;
    this.changed = changed;
    this.#default.addEventListener("change", () => this.#set(this.#default.checked ? null : this.#labels.slice(0, MAX_CLASSES)));
    this.#list.addEventListener("change", () => this.#set(this.#chosen()));
  }

  /** @param {string[]} labels that the models know */
  show(labels) {
    const { visitors } = this.draft();
    this.#labels = labels;
    const known = [...new Set([...labels, ...(visitors ?? [])])];
    setShown(byId("setup-visitors"), known.length > 0);
    setShown(byId("setup-no-class"), visitors?.length === 0);
    setShown(this.#list, visitors !== null);
    this.#default.checked = visitors === null;
    const rows = syncChildren(this.#list, known, (label) =>
      element("label", {}, element("input", { type: "checkbox", value: label }), element("span", {}, label)),
    );
    rows.forEach((row, index) => (checkbox(row).checked = visitors?.includes(known[index]) ?? false));
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
