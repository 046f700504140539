/** The busiest times: the mean of each hour of the week, and its level on a scale. */

/** @import { Measure } from "./choice.js" */
/** @import { Row } from "./sums.js" */
/** @import { SiteTime } from "../base/times.js" */

import { weekdayOf } from "./periods.js";

/**
 * An hour of the week: the mean of what was counted in it, null without data. An hour in which the place is closed has none.
 * @typedef {Map<string, number | null>} Week by "1 09", the weekday from Monday (1) and the hour
 */

export const LEVELS = 5;
/** From Monday, as in the weeks of ISO 8601. */
export const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7];
const DAYS = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
const MIN_HOURS = 0.25; // that were counted; a mean of less says nothing
const MIN_SHOWN = 8; // hours of the day
const DAY_LENGTH = "2026-11-23".length;
const HOUR = 3600; // seconds
const MAX_AHEAD = 15 * HOUR; // more than any time zone is ahead of UTC

/**
 * @param {Row[]} rows by hour of the week
 * @param {Measure} measure
 * @param {string} first day of the range
 * @param {string} until the range's end: the day after the last one, or a full hour such as 2026-11-23T14:00
 * @param {SiteTime} site
 * @returns {Week}
 */
export function weekOf(rows, measure, first, until, site) {
  const times = occurrences(first, until, site);
  /** The mean of each camera, which are then added up. @type {Map<string, Map<string, number>>} */
  const means = new Map();
  /** @type {Week} */
  const week = new Map();
  for (const row of rows) {
    const [day, hour] = row.period.split(" ");
    const key = `${DAYS.indexOf(day) + 1} ${hour}`;
    const hours = (row.counted ?? 0) * (times.get(key) ?? 0);
    const value = (measure === "zones" ? row.seconds : measure === "visits" ? row.visits : row.crossings) ?? 0;
    week.set(key, week.get(key) ?? null);
    if (hours < MIN_HOURS) continue;
    const mean = means.get(key) ?? new Map();
    means.set(key, mean.set(row.camera, (mean.get(row.camera) ?? 0) + value / hours));
  }
  for (const [key, cameras] of means)
    week.set(
      key,
      [...cameras.values()].reduce((sum, mean) => sum + mean, 0),
    );
  return week;
}

/**
 * Returns how often each hour of the week was in a range. An hour that came twice because the clocks were set back counts twice.
 *
 * @param {string} first
 * @param {string} until
 * @param {SiteTime} site
 * @returns {Map<string, number>}
 */
function occurrences(first, until, site) {
  const times = new Map();
  const end = until.length === DAY_LENGTH ? `${until}T00:00` : until;
  for (let time = Date.parse(first) / 1000 - MAX_AHEAD; ; time += HOUR) {
    const local = site.local(time);
    if (local >= end) return times;
    if (local < first) continue;
    const key = `${weekdayOf(local.slice(0, DAY_LENGTH))} ${local.slice(11, 13)}`;
    times.set(key, (times.get(key) ?? 0) + 1);
  }
}

/**
 * Returns the hours to show: from the first to the last with visits, or in the middle of the day.
 *
 * @param {Week} week
 * @returns {string[]}
 */
export function shownHours(week) {
  const hours = [...week].filter(([, mean]) => mean).map(([key]) => Number(key.slice(2)));
  let [first, last] = hours.length ? [Math.min(...hours), Math.max(...hours)] : [9, 9 + MIN_SHOWN - 1];
  while (last - first + 1 < MIN_SHOWN) {
    if (last < 23) last += 1;
    else first -= 1;
  }
  return Array.from({ length: last - first + 1 }, (_, index) => String(first + index).padStart(2, "0"));
}

/**
 * Returns the busiest hour of the week; null if there was nobody.
 *
 * @param {Week} week
 * @returns {{key: string, mean: number} | null}
 */
export function peak(week) {
  let best = null;
  for (const [key, mean] of week) if (mean && (!best || mean > best.mean)) best = { key, mean };
  return best;
}

/**
 * Returns the level of a mean: 0 for nobody, up to `LEVELS` for the busiest hour.
 *
 * @param {number} mean
 * @param {number} highest
 */
export function levelOf(mean, highest) {
  return mean > 0 ? Math.ceil((LEVELS * mean) / highest - 1e-9) : 0;
}
