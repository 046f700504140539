/** The chart's numbers as a table. */

/** @import { Day } from "./report.js" */

import { byId, element, keyed, setText } from "./elements.js";
import { hourText, inHour } from "./report.js";
import { grouped } from "./words.js";

/**
 * @param {string[]} hours
 * @param {string[]} labels
 * @param {Day} today
 * @param {Day | null} other
 * @param {string} otherDay
 * @param {string} present the hour after which today has none yet
 */
export function showTable(hours, labels, today, other, otherDay, present) {
  const table = byId("counts-table");
  const [, head, body] = table.children;
  const columns = ["Hour", ...labels, "All", ...(other ? [otherDay] : [])];
  row(/** @type {HTMLElement} */ (head), "head", columns, "col");
  const rows = hours.map((hour) => [
    hourText(hour),
    ...labels.map((label) => (today.hours.has(hour) ? grouped(today.counts.get(label)?.get(hour) ?? 0) : "–")),
    hour > present && !today.hours.has(hour) ? "–" : figure(today, hour),
    ...(other ? [figure(other, hour)] : []),
  ]);
  keyed(/** @type {HTMLElement} */ (body), hours, () => element("tr")).forEach((node, place) => cells(node, rows[place], "row"));
}

/** @param {Day} day @param {string} hour */
function figure({ counts, hours }, hour) {
  return hours.has(hour) ? grouped(inHour(counts, hour)) : "no data";
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
