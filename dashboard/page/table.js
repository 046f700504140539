/** The chart's numbers as a table. */

/** @import { Day } from "./report.js" */

import { byId, element, syncChildren, setText } from "./elements.js";
import { hourText, inHour } from "./report.js";
import { grouped } from "./words.js";

/**
 * @param {string[]} hours
 * @param {string[]} labels
 * @param {Day} today
 * @param {Day | null} other
 * @param {string} otherDay
 * @param {string} currentHour later hours of today have no data yet
 */
export function showTable(hours, labels, today, other, otherDay, currentHour) {
  const table = byId("counts-table");
  const [, head, body] = table.children;
  const columns = ["Hour", ...labels, "All", ...(other ? [otherDay] : [])];
  row(/** @type {HTMLElement} */ (head), "head", columns, "col");
  const rows = hours.map((hour) => [
    hourText(hour),
    ...labels.map((label) => (today.hours.has(hour) ? grouped(today.counts.get(label)?.get(hour) ?? 0) : "–")),
    hour > currentHour && !today.hours.has(hour) ? "–" : figure(today, hour),
    ...(other ? [figure(other, hour)] : []),
  ]);
  const nodes = syncChildren(/** @type {HTMLElement} */ (body), hours, () => element("tr"));
  nodes.forEach((node, index) => cells(node, rows[index], "row"));
}

/** @param {Day} day @param {string} hour */
function figure({ counts, hours }, hour) {
  return hours.has(hour) ? grouped(inHour(counts, hour)) : "no data";
}

/** @param {HTMLElement} parent @param {string} key @param {string[]} texts @param {string} scope */
function row(parent, key, texts, scope) {
  const [node] = syncChildren(parent, [key], () => element("tr"));
  cells(node, texts, scope);
}

/**
 * Fills a row. Its first cell is a heading; in the head row, all cells are.
 * @param {HTMLElement} node
 * @param {string[]} texts
 * @param {string} scope
 */
function cells(node, texts, scope) {
  const keys = [...texts.keys()].map((index) => (scope === "col" || index === 0 ? `th${index}` : `td${index}`));
  const made = syncChildren(node, keys, (key) => (key.startsWith("th") ? element("th", { scope }) : element("td")));
  made.forEach((cell, index) => setText(cell, texts[index]));
}
