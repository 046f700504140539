/** The counts of an hour, and of a day so far, in words. */

/** @import { Day } from "./report.js" */

import { beforeHour, hourText, inHour } from "./report.js";
import { counted } from "./words.js";

/**
 * One hour: "09–10 h: man 2, woman 1 · 4 on Sun 22 Nov".
 * @param {string} hour
 * @param {string} present the hour of now
 * @param {string[]} labels
 * @param {Day} today
 * @param {Day | null} other
 * @param {string} otherDay
 */
export function hourReadout(hour, present, labels, today, other, otherDay) {
  const visits = labels.map((label) => ({ label, number: today.counts.get(label)?.get(hour) ?? 0 }));
  const parts = visits.flatMap(({ label, number }) => (number ? [`${label} ${number}`] : []));
  const none = today.hours.has(hour) ? "no visit" : hour > present ? "not yet" : "no data";
  const then = other ? ` · ${other.hours.has(hour) ? inHour(other.counts, hour) : "no data"} on ${otherDay}` : "";
  return `${hourText(hour)} h: ${parts.join(", ") || none}${then}`;
}

/**
 * Both days up to the present hour, as today is not over: "Before 14:00: 12 today, 20 on Sun 22 Nov".
 * @param {string} present
 * @param {Day} today
 * @param {Day} other
 * @param {string} otherDay
 */
export function soFar(present, today, other, otherDay) {
  if (present === "00") return "";
  const before = (/** @type {Day} */ { counts, hours }) =>
    [...hours].some((hour) => hour < present) ? beforeHour(counts, present) : "no data";
  if (before(today) === "no data" && before(other) === "no data") return "";
  return `Before ${present}:00: ${before(today)} today, ${before(other)} on ${otherDay}`;
}

/** "Busiest hour: 14–15 h with 5 visitors"; empty without a visit. @param {Day["counts"]} counts */
export function busiest(counts) {
  const hours = new Set([...counts.values()].flatMap((visits) => [...visits.keys()]));
  const [most] = [...hours].sort((one, other) => inHour(counts, other) - inHour(counts, one) || Number(one) - Number(other));
  return most && inHour(counts, most) ? `Busiest hour: ${hourText(most)} h with ${counted(inHour(counts, most), "visitor")}` : "";
}
