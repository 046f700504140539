/** Shows the figures of the day. */

/** @import { Figure } from "./figures.js" */
/** @import { Labels } from "../base/labels.js" */

import { byId, element, syncChildren, setAttribute, setShown, setText } from "../base/elements.js";
import { number, text } from "../base/language.js";
import { changeText } from "./figures.js";

const MAX_EMPTY_LABELS = 8; // with more labels than this, those without visits are hidden

export class Totals {
  /** @param {Labels} labels */
  constructor(labels) {
    this.labels = labels;
  }

  /** @param {Figure[]} figures */
  show(figures) {
    const labelled = figures.filter(({ label }) => label !== null);
    const isLong = labelled.length > MAX_EMPTY_LABELS;
    const shown = isLong ? figures.filter(({ label, count, before }) => label === null || count || before) : figures;
    syncChildren(
      byId("totals"),
      shown.map(({ key }) => key),
      tile,
    ).forEach((node, index) => this.#fill(node, shown[index]));
  }

  /** @param {HTMLElement} node @param {Figure} figure */
  #fill(node, { key, label, count, soFar, before }) {
    const [name, value, change] = node.children;
    if (label === null) setText(name, text(`figure-${key}`));
    else {
      setAttribute(node, "data-label", label);
      setText(name.children[1], this.labels.name(label));
      setAttribute(name.children[0], "class", `swatch ${this.labels.classes(label)}`);
    }
    setText(value, count === null ? text(key === "inside" ? "unknown" : "no-data") : number(count));
    value.classList.toggle("unknown", count === null);
    const difference = changeText({ soFar, before });
    setText(change, difference);
    setShown(/** @type {HTMLElement} */ (change), difference !== "");
  }
}

/** @param {string} key */
function tile(key) {
  const isLabel = key.startsWith("label ");
  const name = isLabel ? element("dt", {}, element("span", { class: "swatch" }), element("span")) : element("dt");
  const kind = isLabel ? "labelled" : key;
  return element("div", { class: `total ${kind}` }, name, element("dd", { class: "count" }), element("dd", { class: "change" }));
}
