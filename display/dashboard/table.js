/** The chart's numbers as a table. */

/** @import { Hourly } from "./report.js" */

import { byId, element, keyed, setText } from "./elements.js";
import { hourText, inHour } from "./report.js";
import { grouped } from "./words.js";

/**
 * @param {string[]} hours
 * @param {string[]} labels
 * @param {Hourly} today
 * @param {Hourly | null} other
 * @param {string} otherDay
 */
export function showTable(hours, labels, today, other, otherDay) {
  const table = byId("counts-table");
  const [, head, body] = table.children;
  const columns = ["Hour", ...labels, "All", ...(other ? [otherDay] : [])];
  row(/** @type {HTMLElement} */ (head), "head", columns, "col");
  const rows = hours.map((hour) => [
    hourText(hour),
    ...labels.map((label) => grouped(today.get(label)?.get(hour) ?? 0)),
    grouped(inHour(today, hour)),
    ...(other ? [grouped(inHour(other, hour))] : []),
  ]);
  keyed(/** @type {HTMLElement} */ (body), hours, () => element("tr")).forEach((node, place) => cells(node, rows[place], "row"));
}

/** @param {HTMLElement} parent @param {string} key @param {string[]} texts @param {string} scope */
function row(parent, key, texts, scope) {
  const [node] = keyed(parent, [key], () => element("tr"));
  cells(node, texts, scope);
}

/**
 * The first cell of a row is its heading, and in the first row each is.
 * @param {HTMLElement} node
 * @param {string[]} texts
 * @param {string} scope
 */
function cells(node, texts, scope) {
  const keys = [...texts.keys()].map((place) => (scope === "col" || place === 0 ? `th${place}` : `td${place}`));
  const made = keyed(node, keys, (key) => (key.startsWith("th") ? element("th", { scope }) : element("td")));
  made.forEach((cell, place) => setText(cell, texts[place]));
}
