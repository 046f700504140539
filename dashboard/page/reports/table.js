/** The numbers of a report as a table, and their sums. */

/** @import { Labels } from "../base/labels.js" */
/** @import { Column } from "./bars.js" */
/** @import { Amount } from "./sums.js" */

import { element } from "../base/elements.js";
import { number, text } from "../base/language.js";
import { change } from "./sums.js";

/**
 * A number beside that of the period before. `key` is the label that it has the colour of; empty: none.
 * @typedef {{name: string, key: string, now: number | null, before: number | null, note?: string}} Tile
 */

/**
 * @param {HTMLElement} table
 * @param {Column[]} columns
 * @param {{
 *   keys: string[], name: (key: string) => string, sum: string, before: string, first: string, write: (value: number) => string,
 * }} names
 */
export function showTable(table, columns, { keys, name, sum, before, first, write }) {
  const heads = [first, ...keys.map(name), sum, before, text("reports-change")];
  const rows = columns.map(({ step, name: heading, isUnknown, isCurrent }) => {
    const { now, before: old } = step;
    const written = (/** @type {number | null} */ value) =>
      value === null ? (isUnknown ? text("no-data") : "–") : write(value);
    const isOver = now.sum !== null && !isCurrent;
    const cells = [
      ...keys.map((key) => (now.sum === null ? "–" : write(now.counts.get(key) ?? 0))),
      written(now.sum),
      old.sum === null ? "–" : write(old.sum),
      isOver ? changeText(now.sum, old.sum) : "–",
    ];
    return element("tr", {}, element("th", { scope: "row" }, heading), ...cells.map((text) => element("td", {}, text)));
  });
  table.replaceChildren(
    /** @type {HTMLElement} */ (table.firstElementChild),
    element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, ...rows),
  );
}

/**
 * @param {HTMLElement} list
 * @param {Tile[]} tiles
 * @param {Labels} labels
 * @param {string} before the name of that period
 * @param {(value: number) => string} write
 */
export function showTiles(list, tiles, labels, before, write) {
  list.replaceChildren(
    ...tiles.map(({ name, key, now, before: old, note }) => {
      const swatch = key ? [element("span", { class: `swatch ${labels.classes(key)}` })] : [];
      const was = old === null ? text("no-data") : write(old);
      const past = element("dd", { class: "was" }, text("reports-was", { period: before, number: was }), " ");
      const share = change(now, old);
      if (share !== null) past.append(element("strong", {}, changeText(now, old)));
      const shown = now === null ? text("no-data") : write(now);
      const head = element("dd", { class: now === null ? "count unknown" : "count" }, shown);
      const notes = note ? [element("dd", { class: "was" }, note)] : [];
      return element("div", { class: key ? "tile" : "tile all" }, element("dt", {}, ...swatch, name), head, past, ...notes);
    }),
  );
}

/** Returns the change as "+5%", or "–". @param {number | null} now @param {number | null} before */
export function changeText(now, before) {
  const share = change(now, before);
  return share === null ? "–" : number(share, { style: "percent", signDisplay: "exceptZero", maximumFractionDigits: 0 });
}

/** @param {Amount} amount @param {string} key @returns {number | null} null: no data */
export function valueOf({ counts, sum }, key) {
  return sum === null ? null : (counts.get(key) ?? 0);
}
