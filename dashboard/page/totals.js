/** The totals of the day, overall and by label, compared with another day. */

/** @import { Day } from "./report.js" */
/** @import { LabelColours } from "./colours.js" */

import { byId, element, syncChildren, setAttribute, setShown, setText } from "./elements.js";
import { grandTotal, total } from "./report.js";
import { grouped } from "./words.js";

const MAX_EMPTY_LABELS = 8; // with more labels than this, those without visits are hidden

export class Totals {
  /** @param {LabelColours} colours */
  constructor(colours) {
    this.colours = colours;
  }

  /** @param {Day} today @param {Day | null} other @param {string} otherDay @param {string[]} labels */
  show(today, other, otherDay, labels) {
    const shown =
      labels.length <= MAX_EMPTY_LABELS
        ? labels
        : labels.filter((label) => total(today.counts, label) || (other && total(other.counts, label)));
    byId("totals").classList.toggle("unknown", today.hours.size === 0);
    syncChildren(byId("totals"), ["all", ...shown.map((label) => `label ${label}`)], tile).forEach((node, index) => {
      const label = index === 0 ? null : shown[index - 1];
      if (label === null) setText(node.children[0], "visitors");
      else this.#setLabel(node, label);
      setText(node.children[1], figure(today, label));
      setShown(/** @type {HTMLElement} */ (node.children[2]), other !== null);
      setText(node.children[2].children[0], other ? figure(other, label) : "");
      setText(node.children[2].children[1], ` on ${otherDay}`);
    });
  }

  /** @param {HTMLElement} node @param {string} label */
  #setLabel(node, label) {
    setAttribute(node, "data-label", label);
    setText(node.children[0].children[1], label);
    setAttribute(node.children[0].children[0], "class", `swatch ${this.colours.classes(label)}`);
  }
}

/** @param {Day} day @param {string | null} label null: all labels */
function figure({ counts, hours }, label) {
  if (hours.size === 0) return "no data";
  return grouped(label === null ? grandTotal(counts) : total(counts, label));
}

/** @param {string} key */
function tile(key) {
  const name = key === "all" ? element("dt") : element("dt", {}, element("span", { class: "swatch" }), element("span"));
  const day = element("span", { class: key === "all" ? "day" : "unseen" });
  const other = element("dd", { class: "other-count" }, element("span"), day);
  return element("div", { class: key === "all" ? "total all" : "total" }, name, element("dd", { class: "count" }), other);
}
