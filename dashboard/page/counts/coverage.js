/** How much of a day was counted, in words. A day without data may have had visitors. */

/** @import { DayReport } from "../base/messages.js" */

import { text } from "../base/language.js";
import { duration } from "../base/times.js";
import { coverage, dayOf } from "./report.js";

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
  if (dayOf(report, camera).hours.size === 0) return text("no-data");
  const every = coverage(report, camera, now);
  const partial = every.filter(({ counted, passed }) => passed - (counted ?? 0) > TOLERANCE);
  if (partial.length === 0) return "";
  const parts = partial.map(({ name, counted, passed }) => ({
    camera: name,
    share: counted === null ? text("no-data") : text("share-of-time", { counted: minutes(counted), passed: minutes(passed) }),
  }));
  if (every.length === 1) return text("counted-share", { share: parts[0].share });
  const named = parts.slice(0, MAX_NAMED).map((part) => text("camera-share", part));
  return text("partly-counted", { cameras: [...named, ...(parts.length > MAX_NAMED ? [text("others")] : [])].join(", ") });
}

/** Formats seconds in whole minutes, at least one. @param {number} seconds */
function minutes(seconds) {
  return duration(Math.max(1, Math.round(seconds / 60)) * 60);
}
