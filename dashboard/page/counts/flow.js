/** The crossings of lines, and the stays in zones, in a day's report. */

/** @import { ByHour, DayReport } from "../base/messages.js" */
/** @import { Hourly } from "./report.js" */

import { cameraCounts, hourly, sumOf } from "./report.js";

/** @typedef {"in" | "out"} Direction */
/**
 * The visits in a zone by hour, and the seconds that all of them were in it by hour.
 * @typedef {{camera: string, name: string, visits: Hourly, seconds: Map<string, number>}} ZoneDay
 */

/**
 * Returns the crossings of all lines in one direction.
 *
 * @param {DayReport | null} report
 * @param {string} camera name; empty: all cameras
 * @param {Direction} direction
 * @returns {Hourly}
 */
export function flow(report, camera, direction) {
  const lines = cameraCounts(report, camera).flatMap(([, { crossings }]) => Object.values(crossings ?? {}));
  return hourly(lines.map((directions) => directions[direction] ?? {}));
}

/** Whether a line was crossed. @param {DayReport | null} report @param {string} camera name; empty: all cameras */
export function hasFlow(report, camera) {
  return cameraCounts(report, camera).some(([, { crossings }]) => Object.keys(crossings ?? {}).length > 0);
}

/** @param {DayReport | null} report @param {string} camera name; empty: all cameras @returns {ZoneDay[]} */
export function zonesOf(report, camera) {
  return cameraCounts(report, camera).flatMap(([name, { zones }]) =>
    Object.entries(zones ?? {}).map(([zone, { visits, seconds }]) => ({
      camera: name,
      name: zone,
      visits: hourly([visits]),
      seconds: new Map(Object.entries(seconds)),
    })),
  );
}

/**
 * Returns the mean seconds of a visit in a zone; null without visits.
 *
 * @param {ZoneDay} zone
 * @param {string} [hour] all hours by default
 */
export function meanStay({ visits, seconds }, hour) {
  const counts = [...visits.values()].flatMap((hours) => [...hours].filter(([one]) => hour === undefined || one === hour));
  const number = sumOf(counts.map(([, count]) => count));
  const time = sumOf([...seconds].filter(([one]) => hour === undefined || one === hour).map(([, value]) => value));
  return number ? time / number : null;
}
