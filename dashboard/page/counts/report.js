/** Sums over a day's report. */

/** @import { ByHour, CameraCounts, DayReport } from "../base/messages.js" */

import { SiteTime } from "../base/times.js";

const QUARTER = 900; // seconds

/**
 * Visits of one or more cameras, by label and hour of the site.
 * @typedef {Map<string, Map<string, number>>} Hourly
 */

/**
 * The counts of a day. `hours` are the hours with data: one of them without counts had 0 visits; others are unknown.
 * @typedef {{counts: Hourly, hours: Set<string>}} Day
 */

/** @param {DayReport} report @param {string} camera name; empty: all cameras @returns {Day} */
export function dayOf(report, camera) {
  const hours = cameraCounts(report, camera).flatMap(([, { counted, visits }]) => [
    ...Object.entries(counted ?? {}).flatMap(([hour, share]) => (typeof share === "number" ? [hour] : [])),
    ...Object.values(visits).flatMap((byHour) => Object.keys(byHour).filter((hour) => byHour[hour])),
  ]);
  return { counts: hourly(cameraCounts(report, camera).map(([, { visits }]) => visits)), hours: new Set(hours) };
}

/**
 * Returns one camera, or all cameras; all cameras exclude the demo's, unless there are no others.
 *
 * @param {DayReport | null} report
 * @param {string} camera name; empty: all cameras
 * @returns {[string, CameraCounts][]}
 */
export function cameraCounts(report, camera) {
  const cameras = Object.entries(report?.cameras ?? {});
  if (camera !== "") return cameras.filter(([name]) => name === camera);
  return report?.demo ? cameras : cameras.filter(([, { demo }]) => !demo);
}

/** Adds up counts by label and hour. @param {ByHour[]} counts @returns {Hourly} */
export function hourly(counts) {
  /** @type {Hourly} */
  const sums = new Map();
  for (const [label, hours] of counts.flatMap((one) => Object.entries(one))) {
    const sum = sums.get(label) ?? new Map();
    for (const [hour, number] of Object.entries(hours)) sum.set(hour, (sum.get(hour) ?? 0) + (number ?? 0));
    sums.set(label, sum);
  }
  return sums;
}

/** @param {Hourly} counts @param {string} label */
export function total(counts, label) {
  return sumOf(counts.get(label)?.values() ?? []);
}

/** @param {Hourly} counts */
export function grandTotal(counts) {
  return sumOf([...counts.keys()].map((label) => total(counts, label)));
}

/** Returns the visits of all labels in one hour. @param {Hourly} counts @param {string} hour */
export function inHour(counts, hour) {
  return sumOf([...counts.values()].map((hours) => hours.get(hour) ?? 0));
}

/** Returns the visits of all labels before an hour. @param {Hourly} counts @param {string} hour */
export function beforeHour(counts, hour) {
  return sumOf([...counts.values()].flatMap((hours) => [...hours].map(([name, visits]) => (name < hour ? visits : 0))));
}

/** @param {Iterable<number>} numbers */
export function sumOf(numbers) {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}

/** Returns the hours of a report's day, sorted: 23 when the clock springs forward. @param {DayReport} report */
export function hoursOf(report) {
  if (!report.zone) return Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, "0"));
  return [...hourLengths(report).keys()];
}

/** Returns the length of each hour of a report's day, in seconds. @param {DayReport} report @returns {Map<string, number>} */
function hourLengths(report) {
  const site = new SiteTime();
  site.setZone(report.zone);
  const seconds = new Map();
  for (let time = report.begins_at; time < report.ends_at; time += QUARTER) {
    seconds.set(site.hour(time), (seconds.get(site.hour(time)) ?? 0) + QUARTER);
  }
  return seconds;
}

/**
 * Returns for how many seconds each camera was counting (null: no data), and how many seconds of the day have passed.
 *
 * @param {DayReport} report
 * @param {string} camera
 * @param {number} now
 */
export function coverage(report, camera, now) {
  const seconds = hourLengths(report);
  const passed = Math.max(0, Math.min(now, report.ends_at) - report.begins_at);
  return cameraCounts(report, camera).map(([name, { counted }]) => {
    const shares = Object.entries(counted ?? {}).filter(([, share]) => share !== null);
    const sum = sumOf(shares.map(([hour, share]) => (share ?? 0) * (seconds.get(hour) ?? 0)));
    return { name, counted: shares.length > 0 ? sum : null, passed };
  });
}

/**
 * Returns the hours to show: from the first to the last that has visits or is the current one, and at least `minimum`.
 *
 * @param {string[]} hours
 * @param {Hourly[]} days the counts to show together
 * @param {string} currentHour
 * @param {number} minimum
 */
export function shownHours(hours, days, currentHour, minimum) {
  const busy = hours.flatMap((hour, at) => (hour === currentHour || days.some((counts) => inHour(counts, hour)) ? [at] : []));
  let first = Math.min(...busy, hours.length - 1);
  let last = Math.max(...busy, first);
  while (last - first + 1 < Math.min(minimum, hours.length)) {
    if (last < hours.length - 1) last += 1;
    else first -= 1;
  }
  return hours.slice(first, last + 1);
}
