/** The chart's numbers as a table. */

/** @import { ZoneDay } from "./flow.js" */
/** @import { Day, Hourly } from "./report.js" */
/** @import { Labels } from "../base/labels.js" */

import { hourText, number, text } from "../base/language.js";
import { byId, element, syncChildren, setText } from "../base/elements.js";
import { meanStay } from "./flow.js";
import { inHour } from "./report.js";
import { duration } from "../base/times.js";

/**
 * Columns for each label, and for all of them: today's counts and another day's. `title` is empty for visits.
 * @typedef {{title: string, counts: Hourly, other: Hourly | null}} Group
 */

/**
 * @param {string[]} hours
 * @param {string[]} shown labels in their order
 * @param {Labels} labels
 * @param {Group[]} groups
 * @param {ZoneDay[]} zones
 * @param {Day} today
 * @param {Day | null} other
 * @param {string} otherDay
 * @param {string} currentHour later hours of today have no data yet
 */
export function showTable(hours, shown, labels, groups, zones, today, other, otherDay, currentHour) {
  const table = byId("counts-table");
  const [, head, body] = table.children;
  const columns = groups.flatMap(({ title }) => [
    ...shown.map((label) => (title ? `${title}: ${labels.name(label)}` : labels.name(label))),
    title || text("all"),
    ...(other ? [title ? `${title}: ${otherDay}` : otherDay] : []),
  ]);
  const zoneColumns = zones.flatMap(({ name }) => [text("zone-visits", { zone: name }), text("zone-stay", { zone: name })]);
  row(/** @type {HTMLElement} */ (head), "head", [text("hour-column"), ...columns, ...zoneColumns], "col");
  const rows = hours.map((hour) => {
    const isLater = hour > currentHour && !today.hours.has(hour);
    const cells = groups.flatMap((group) => [
      ...shown.map((label) => (today.hours.has(hour) ? number(group.counts.get(label)?.get(hour) ?? 0) : "–")),
      isLater ? "–" : figure(today, group.counts, hour),
      ...(other && group.other ? [figure(other, group.other, hour)] : []),
    ]);
    return [
      hourText(hour),
      ...cells,
      ...zones.flatMap((zone) => [isLater ? "–" : figure(today, zone.visits, hour), stay(zone, hour)]),
    ];
  });
  const nodes = syncChildren(/** @type {HTMLElement} */ (body), hours, () => element("tr"));
  nodes.forEach((node, index) => cells(node, rows[index], "row"));
}

/** @param {Day} day @param {Hourly} counts @param {string} hour */
function figure({ hours }, counts, hour) {
  return hours.has(hour) ? number(inHour(counts, hour)) : text("no-data");
}

/** @param {ZoneDay} zone @param {string} hour */
function stay(zone, hour) {
  const mean = meanStay(zone, hour);
  return mean === null ? "–" : duration(mean);
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
