/**
 * Days, weeks, months and years: their limits, neighbours and names. A period is a text as `GET /reports` takes it: 2026-11-23,
 * 2026-W48, 2026-11 or 2026. A week is that of ISO 8601. Days are texts such as 2026-11-23.
 */

import { date, dateRange, hourName, hourText, text } from "../base/language.js";
import { dayAfter, shortDay } from "../base/times.js";

/** @typedef {"day" | "week" | "month" | "year"} Unit */

/** @type {Unit[]} */
export const UNITS = ["day", "week", "month", "year"];
/** The steps of the chart in a period. @type {Record<Unit, string>} */
export const STEPS = { day: "hour", week: "day", month: "day", year: "month" };
/** What a period is compared with, so that weekdays match if it has few days. @type {Record<Unit, string>} */
export const BEFORE = { day: "week", week: "week", month: "month", year: "year" };
const PATTERNS = { day: /^\d{4}-\d\d-\d\d$/, week: /^\d{4}-W\d\d$/, month: /^\d{4}-\d\d$/, year: /^\d{4}$/ };
const FIRST_DAY = "1970-01-02"; // that the counter takes
const DAYS_OF_BUSIEST = 28; // in which a day's busiest times are: one day says little
/** @type {Intl.DateTimeFormatOptions} */
const LONG = { day: "numeric", month: "long", year: "numeric" };

/** Returns the unit of a period; null if the text is none. @param {string} period @returns {Unit | null} */
export function unitOf(period) {
  const unit = UNITS.find((one) => PATTERNS[one].test(period));
  const first = unit ? firstDay(unit, period) : "";
  if (!unit || Number.isNaN(Date.parse(first)) || first < FIRST_DAY) return null;
  return periodOf(unit, dayAfter(first, 0)) === period ? unit : null; // not 2026-02-30, nor 2026-W60
}

/** Returns the period that a day is in. @param {Unit} unit @param {string} day */
export function periodOf(unit, day) {
  if (unit === "day") return day;
  if (unit !== "week") return day.slice(0, unit === "month" ? 7 : 4);
  const thursday = dayAfter(day, 4 - weekdayOf(day));
  const number = 1 + Math.floor((Date.parse(thursday) - Date.parse(thursday.slice(0, 4))) / 86400_000 / 7);
  return `${thursday.slice(0, 4)}-W${String(number).padStart(2, "0")}`;
}

/** Returns its first day, and the day after its last one. @param {string} period @returns {[string, string]} */
export function daysOf(period) {
  const unit = unitOf(period) ?? "day";
  const first = firstDay(unit, period);
  if (unit === "day" || unit === "week") return [first, dayAfter(first, unit === "day" ? 1 : 7)];
  const [year, month] = [Number(first.slice(0, 4)), Number(first.slice(5, 7))];
  return [first, new Date(unit === "month" ? Date.UTC(year, month, 1) : Date.UTC(year + 1, 0, 1)).toISOString().slice(0, 10)];
}

/** Returns the period after it (1), or before it (-1). @param {string} period @param {1 | -1} direction */
export function neighbour(period, direction) {
  const [first, end] = daysOf(period);
  return periodOf(unitOf(period) ?? "day", direction > 0 ? end : dayAfter(first, -1));
}

/** Returns the period that it is compared with: a day with the same weekday. @param {string} period */
export function periodBefore(period) {
  return unitOf(period) === "day" ? dayAfter(period, -7) : neighbour(period, -1);
}

/**
 * Returns the first and the last day of those in which the busiest times are sought.
 *
 * @param {string} period
 * @returns {[string, string]}
 */
export function busiestDays(period) {
  const [first, end] = daysOf(period);
  return unitOf(period) === "day" ? [dayAfter(end, -DAYS_OF_BUSIEST), dayAfter(end, -1)] : [first, dayAfter(end, -1)];
}

/** @param {string} day @returns {number} 1 (Monday) to 7 */
export function weekdayOf(day) {
  return new Date(day).getUTCDay() || 7;
}

/** Returns "Friday 27 November 2026", "Week 48, 23 – 29 November 2026", "November 2026" or "2026". @param {string} period */
export function periodTitle(period) {
  const [first, end] = daysOf(period);
  const unit = unitOf(period);
  if (unit === "day") return date(seconds(first), { weekday: "long", ...LONG });
  if (unit === "week")
    return text("reports-week-title", { week: String(Number(period.slice(6))), days: rangeText(first, dayAfter(end, -1)) });
  return unit === "month" ? date(seconds(first), { month: "long", year: "numeric" }) : period;
}

/** Returns "Fri 27 Nov", "Week 48", "November 2026" or "2026". @param {string} period */
export function periodName(period) {
  if (unitOf(period) === "day") return shortDay(period);
  return unitOf(period) === "week" ? text("reports-week", { week: String(Number(period.slice(6))) }) : periodTitle(period);
}

/** @param {string} first @param {string} last @returns {string} "23 – 29 November 2026" */
export function rangeText(first, last) {
  return dateRange(seconds(first), seconds(last), LONG);
}

/** Returns the name of a step: an hour, a day or a month. @param {Unit} unit of the report @param {string} step */
export function stepName(unit, step) {
  if (unit === "day") return hourText(step.slice(11, 13));
  return unit === "year" ? date(seconds(`${step}-01`), { month: "long" }) : shortDay(step);
}

/** Returns its short name under the chart. @param {Unit} unit of the report @param {string} step */
export function stepTick(unit, step) {
  if (unit === "day") return hourName(step.slice(11, 13));
  if (unit === "year") return date(seconds(`${step}-01`), { month: "short" });
  return date(seconds(step), unit === "week" ? { weekday: "short" } : { day: "numeric" });
}

/** @param {Unit} unit @param {string} period @returns {string} */
function firstDay(unit, period) {
  if (unit !== "week") return `${period}-01-01`.slice(0, 10);
  const fourth = `${period.slice(0, 4)}-01-04`; // always in the first week
  return dayAfter(fourth, 1 - weekdayOf(fourth) + 7 * (Number(period.slice(6)) - 1));
}

/** @param {string} day */
function seconds(day) {
  return Date.parse(day) / 1000;
}
