/** The day's totals in large metrics, all together and for each label, with another day's beside them. */

/** @import { Day } from "./report.js" */
/** @import { LabelColours } from "./colours.js" */

import { byId, element, keyed, setAttribute, setShown, setText } from "./elements.js";
import { grandTotal, total } from "./report.js";
import { grouped } from "./words.js";

const MOST_EMPTY = 8; // labels that are shown even without a visit; of more, only those with one

export class Totals {
  /** @param {LabelColours} colours */
  constructor(colours) {
    this.colours = colours;
  }

  /** @param {Day} today @param {Day | null} other @param {string} otherDay @param {string[]} labels */
  show(today, other, otherDay, labels) {
    const shown =
      labels.length <= MOST_EMPTY
        ? labels
        : labels.filter((label) => total(today.counts, label) || (other && total(other.counts, label)));
    byId("totals").classList.toggle("unknown", today.hours.size === 0);
    keyed(byId("totals"), ["all", ...shown.map((label) => `label ${label}`)], (key) => tile(key)).forEach((node, place) => {
      const label = place === 0 ? null : shown[place - 1];
      if (label === null) setText(node.children[0], "visitors");
      else this.#name(node, label);
      setText(node.children[1], figure(today, label));
      setShown(/** @type {HTMLElement} */ (node.children[2]), other !== null);
      setText(node.children[2].children[0], other ? figure(other, label) : "");
      setText(node.children[2].children[1], ` on ${otherDay}`);
    });
  }

  /** @param {HTMLElement} node @param {string} label */
  #name(node, label) {
    setAttribute(node, "data-label", label);
    setText(node.children[0].children[1], label);
    setAttribute(node.children[0].children[0], "class", `swatch ${this.colours.classes(label)}`);
  }
}

/** @param {Day} day @param {string | null} label null: all of them */
function figure({ counts, hours }, label) {
  if (hours.size === 0) return "no data";
  return grouped(label === null ? grandTotal(counts) : total(counts, label));
}

/** @param {string} key */
function tile(key) {
  const name = key === "all" ? element("dt") : element("dt", {}, element("span", { class: "swatch" }), element("span"));
  const then = element("dd", { class: "then" }, element("span"), element("span", { class: key === "all" ? "day" : "unseen" }));
  return element("div", { class: key === "all" ? "total all" : "total" }, name, element("dd", { class: "count" }), then);
}
