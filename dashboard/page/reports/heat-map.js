/** The busiest times as a table of weekdays and hours, coloured by level. */

/** @import { Week } from "./busiest.js" */

import { element } from "../base/elements.js";
import { date, hourName, hourText, text } from "../base/language.js";
import { LEVELS, WEEKDAYS, levelOf, shownHours } from "./busiest.js";

const MONDAY = Date.parse("2026-11-23") / 1000; // any
const DAY = 86400;

/**
 * @param {HTMLElement} table
 * @param {HTMLElement} legend
 * @param {Week} week
 * @param {(mean: number) => string} write a mean
 */
export function showHeatMap(table, legend, week, write) {
  const hours = shownHours(week);
  const highest = Math.max(0, ...[...week.values()].map((mean) => mean ?? 0));
  const head = element("tr", {}, element("td"), ...hours.map((hour) => hourHeading(hour)));
  const rows = WEEKDAYS.map((day) => {
    const name = element("th", { scope: "row" }, weekdayName(day, "short"));
    return element("tr", {}, name, ...hours.map((hour) => cell(week, day, hour, highest, write)));
  });
  table.replaceChildren(
    /** @type {HTMLElement} */ (table.firstElementChild),
    element("thead", {}, head),
    element("tbody", {}, ...rows),
  );
  showLegend(legend, week, highest, write);
}

/** @param {number} day 1: Monday @param {"short" | "long"} weekday */
export function weekdayName(day, weekday) {
  return date(MONDAY + (day - 1) * DAY, { weekday });
}

/** Returns "Saturday, 14–15 h". @param {string} key such as "6 14" */
export function hourOfWeek(key) {
  return text("reports-hour-of-week", { day: weekdayName(Number(key[0]), "long"), hour: hourText(key.slice(2)) });
}

/** @param {string} hour */
function hourHeading(hour) {
  const short = element("span", { "aria-hidden": "true" }, hourName(hour).split(/\s/)[0]);
  return element("th", { scope: "col", title: hourText(hour) }, short, element("span", { class: "unseen" }, hourText(hour)));
}

/** @param {Week} week @param {number} day @param {string} hour @param {number} highest @param {(mean: number) => string} write */
function cell(week, day, hour, highest, write) {
  const mean = week.get(`${day} ${hour}`);
  if (mean === undefined) return element("td", {}, element("span", { class: "unseen" }, "–"));
  const shown = mean === null ? text("no-data") : write(mean);
  const title = text("reports-step", { step: hourOfWeek(`${day} ${hour}`), number: shown });
  return element(
    "td",
    { class: mean === null ? "no-data" : `level-${levelOf(mean, highest)}`, title },
    element("span", {}, shown),
  );
}

/** @param {HTMLElement} legend @param {Week} week @param {number} highest @param {(mean: number) => string} write */
function showLegend(legend, week, highest, write) {
  const levels = highest ? Array.from({ length: LEVELS }, (_, index) => index + 1) : [];
  const keys = levels.map((level) => key(`level-${level}`, text("reports-up-to", { number: write((highest * level) / LEVELS) })));
  const hasUnknown = [...week.values()].includes(null);
  legend.replaceChildren(key("level-0", write(0)), ...keys, ...(hasUnknown ? [key("no-data", text("no-data"))] : []));
}

/** @param {string} level @param {string} name */
function key(level, name) {
  return element("li", {}, element("span", { class: `key ${level}` }), name);
}
