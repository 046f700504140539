/** How much of a day was counted, in words. A day without data may have had visitors. */

/** @import { DayReport } from "./messages.js" */

import { coverage, dayOf } from "./report.js";
import { duration } from "./times.js";

const TOLERANCE = 900; // seconds that may be missing without a mention; counts are reported every five minutes
const MAX_NAMED = 3; // cameras

/**
 * Returns an empty text if all cameras counted the whole day so far.
 *
 * @param {DayReport} report
 * @param {string} camera name; empty: all cameras
 * @param {number} now Unix seconds
 */
export function coverageText(report, camera, now) {
  if (dayOf(report, camera).hours.size === 0) return "no data";
  const every = coverage(report, camera, now);
  const partial = every.filter(({ counted, passed }) => passed - (counted ?? 0) > TOLERANCE);
  if (partial.length === 0) return "";
  if (every.length === 1) return `counted ${minutes(partial[0].counted ?? 0)} of ${minutes(partial[0].passed)}`;
  const named = partial
    .slice(0, MAX_NAMED)
    .map(({ name, counted, passed }) => `${name} ${counted === null ? "no data" : `${minutes(counted)} of ${minutes(passed)}`}`);
  return `partly counted: ${named.join(", ")}${partial.length > MAX_NAMED ? ", and others" : ""}`;
}

/** Formats seconds in whole minutes, at least one. @param {number} seconds */
function minutes(seconds) {
  return duration(Math.max(1, Math.round(seconds / 60)) * 60);
}
