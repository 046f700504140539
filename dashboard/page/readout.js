/** The counts of an hour and of a day, in words. */

/** @import { Day, Hourly } from "./report.js" */

import { beforeHour, grandTotal, hourText, inHour, total } from "./report.js";
import { counted } from "./words.js";

/**
 * Returns one hour, such as "09–10 h: man 2, woman 1 · 4 on Sun 22 Nov".
 * @param {string} hour
 * @param {string} currentHour
 * @param {string[]} labels
 * @param {Day} today
 * @param {Day | null} other
 * @param {string} otherDay
 */
export function hourReadout(hour, currentHour, labels, today, other, otherDay) {
  const visits = labels.map((label) => ({ label, number: today.counts.get(label)?.get(hour) ?? 0 }));
  const parts = visits.flatMap(({ label, number }) => (number ? [`${label} ${number}`] : []));
  const none = today.hours.has(hour) ? "no visits" : hour > currentHour ? "not yet" : "no data";
  const otherText = other ? ` · ${other.hours.has(hour) ? inHour(other.counts, hour) : "no data"} on ${otherDay}` : "";
  return `${hourText(hour)} h: ${parts.join(", ") || none}${otherText}`;
}

/**
 * Compares both days up to the current hour, such as "Before 14:00: 12 today, 20 on Sun 22 Nov".
 * @param {string} currentHour
 * @param {Day} today
 * @param {Day} other
 * @param {string} otherDay
 */
export function soFar(currentHour, today, other, otherDay) {
  if (currentHour === "00") return "";
  const before = (/** @type {Day} */ { counts, hours }) =>
    [...hours].some((hour) => hour < currentHour) ? beforeHour(counts, currentHour) : "no data";
  if (before(today) === "no data" && before(other) === "no data") return "";
  return `Before ${currentHour}:00: ${before(today)} today, ${before(other)} on ${otherDay}`;
}

/**
 * Returns the crossings of an hour, or of the day, such as "09–10 h: 5 in (man 3, woman 2), 4 out (man 4)".
 * @param {string | null} hour null: the whole day
 * @param {string[]} labels
 * @param {Hourly} entered
 * @param {Hourly} left
 * @param {boolean} isKnown whether there is data
 */
export function flowReadout(hour, labels, entered, left, isKnown) {
  const when = hour === null ? "Today" : `${hourText(hour)} h`;
  if (!isKnown) return hour === null ? "" : `${when}: no data`;
  const part = (/** @type {Hourly} */ counts, /** @type {string} */ direction) => {
    const number = (/** @type {string} */ label) => (hour === null ? total(counts, label) : (counts.get(label)?.get(hour) ?? 0));
    const each = labels.flatMap((label) => (number(label) ? [`${label} ${number(label)}`] : []));
    const all = hour === null ? grandTotal(counts) : inHour(counts, hour);
    return `${all} ${direction}${each.length ? ` (${each.join(", ")})` : ""}`;
  };
  return `${when}: ${part(entered, "in")}, ${part(left, "out")}`;
}

/** Returns a text such as "Busiest hour: 14–15 h with 5 visitors"; empty without visits. @param {Day["counts"]} counts */
export function busiest(counts) {
  const hours = new Set([...counts.values()].flatMap((visits) => [...visits.keys()]));
  const [top] = [...hours].sort((one, other) => inHour(counts, other) - inHour(counts, one) || Number(one) - Number(other));
  return top && inHour(counts, top) ? `Busiest hour: ${hourText(top)} h with ${counted(inHour(counts, top), "visitor")}` : "";
}
