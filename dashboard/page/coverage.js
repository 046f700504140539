/** For how long was counted on a day, in words: a day without data is not one without visitors. */

/** @import { DayReport } from "./messages.js" */

import { coverage, dayOf } from "./report.js";
import { duration } from "./times.js";

const TOLERANCE = 900; // seconds that may be missing before it is said; counts are reported every five minutes
const MOST_NAMED = 3; // cameras

/**
 * Empty when all of the day so far was counted at all cameras.
 *
 * @param {DayReport} report
 * @param {string} camera its name; empty: all of them
 * @param {number} now Unix seconds
 */
export function coverageText(report, camera, now) {
  if (dayOf(report, camera).hours.size === 0) return "no data";
  const every = coverage(report, camera, now);
  const partial = every.filter(({ counted, passed }) => passed - (counted ?? 0) > TOLERANCE);
  if (partial.length === 0) return "";
  if (every.length === 1) return `counted ${span(partial[0].counted ?? 0)} of ${span(partial[0].passed)}`;
  const named = partial
    .slice(0, MOST_NAMED)
    .map(({ name, counted, passed }) => `${name} ${counted === null ? "no data" : `${span(counted)} of ${span(passed)}`}`);
  return `partly counted: ${named.join(", ")}${partial.length > MOST_NAMED ? ", and others" : ""}`;
}

/** To the minute, and not less than one. @param {number} seconds */
function span(seconds) {
  return duration(Math.max(1, Math.round(seconds / 60)) * 60);
}
