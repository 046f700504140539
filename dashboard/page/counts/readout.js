/** The counts of an hour and of a day, in words. */

/** @import { Day, Hourly } from "./report.js" */
/** @import { Labels } from "../base/labels.js" */

import { hourText, number, text } from "../base/language.js";
import { grandTotal, inHour, total } from "./report.js";

/**
 * Returns one hour, such as "09–10 h: man 2, woman 1 · 4 on Sun 22 Nov".
 * @param {string} hour
 * @param {string} currentHour
 * @param {string[]} shown labels in their order
 * @param {Labels} labels
 * @param {Day} today
 * @param {Day | null} other
 * @param {string} otherDay
 */
export function hourReadout(hour, currentHour, shown, labels, today, other, otherDay) {
  const parts = shown.flatMap((label) => part(labels.name(label), today.counts.get(label)?.get(hour) ?? 0));
  const none = today.hours.has(hour) ? "no-visits" : hour > currentHour ? "not-yet" : "no-data";
  const counts = parts.join(", ") || text(none);
  const before = other && (other.hours.has(hour) ? number(inHour(other.counts, hour)) : text("no-data"));
  if (before === null) return text("readout", { time: hourText(hour), counts });
  return text("readout-beside", { time: hourText(hour), counts, before, day: otherDay });
}

/**
 * Returns the crossings of an hour, or of the day, such as "09–10 h: 5 in (man 3, woman 2), 4 out (man 4)".
 * @param {string | null} hour null: the whole day
 * @param {string[]} shown labels in their order
 * @param {Labels} labels
 * @param {Hourly} entered
 * @param {Hourly} left
 * @param {boolean} isKnown whether there is data
 */
export function flowReadout(hour, shown, labels, entered, left, isKnown) {
  const time = hour === null ? text("today") : hourText(hour);
  if (!isKnown) return hour === null ? "" : text("readout", { time, counts: text("no-data") });
  const direction = (/** @type {Hourly} */ counts, /** @type {"in" | "out"} */ way) => {
    const of = (/** @type {string} */ label) => (hour === null ? total(counts, label) : (counts.get(label)?.get(hour) ?? 0));
    const each = shown.flatMap((label) => part(labels.name(label), of(label)));
    const all = text(`crossed-${way}`, { number: hour === null ? grandTotal(counts) : inHour(counts, hour) });
    return each.length ? `${all} (${each.join(", ")})` : all;
  };
  return text("readout", { time, counts: `${direction(entered, "in")}, ${direction(left, "out")}` });
}

/** @param {string} label @param {number} count */
function part(label, count) {
  return count ? [`${label} ${number(count)}`] : [];
}

/** Returns a text such as "Busiest hour: 14–15 h with 5 visitors"; empty without visits. @param {Day["counts"]} counts */
export function busiest(counts) {
  const hours = new Set([...counts.values()].flatMap((visits) => [...visits.keys()]));
  const [top] = [...hours].sort((one, other) => inHour(counts, other) - inHour(counts, one) || Number(one) - Number(other));
  const visitors = top ? inHour(counts, top) : 0;
  return visitors ? text("busiest", { time: hourText(top), visitors }) : "";
}
