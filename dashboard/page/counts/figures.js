/** The first figures of the page: visitors, in, out, inside and each label, beside another day up to the same hour. */

/** @import { Day, Hourly } from "./report.js" */

import { number, text } from "../base/language.js";
import { beforeHour, grandTotal, total } from "./report.js";

/**
 * A number that is shown large. `count` is null without data; `soFar` and `before` are what both days had until the begin of the
 * current hour, null if that is unknown. `label` is null for all labels.
 * @typedef {{key: string, label: string | null, count: number | null, soFar: number | null, before: number | null}} Figure
 */

const MIN_FOR_PERCENT = 20; // below this, a difference says more than a percentage

/**
 * @param {Day} today
 * @param {Day | null} other
 * @param {{key: string, counts: Hourly, other: Hourly | null}[]} crossings `key` is in or out; empty without lines
 * @param {number | null} inside null: unknown, or without lines
 * @param {string[]} labels
 * @param {string} currentHour
 * @returns {Figure[]}
 */
export function figuresOf(today, other, crossings, inside, labels, currentHour) {
  const figure = (/** @type {string} */ key, /** @type {Hourly} */ counts, /** @type {Hourly | null} */ beside, label = "") => ({
    key,
    label: label || null,
    count: today.hours.size ? (label ? total(counts, label) : grandTotal(counts)) : null,
    soFar: until(today, only(counts, label), currentHour),
    before: other && beside && until(other, only(beside, label), currentHour),
  });
  return [
    figure("visitors", today.counts, other?.counts ?? null),
    ...crossings.map(({ key, counts, other: beside }) => figure(key, counts, beside)),
    ...(crossings.length ? [{ key: "inside", label: null, count: inside, soFar: null, before: null }] : []),
    ...labels.map((label) => figure(`label ${label}`, today.counts, other?.counts ?? null, label)),
  ];
}

/** @param {Hourly} counts @param {string} label empty: all @returns {Hourly} */
function only(counts, label) {
  return label ? new Map([...counts].filter(([one]) => one === label)) : counts;
}

/** Returns the counts until an hour begins; null if nothing is known of that time. @param {Day} day @param {Hourly} counts @param {string} hour */
function until({ hours }, counts, hour) {
  return [...hours].some((one) => one < hour) ? beforeHour(counts, hour) : null;
}

/**
 * Returns the difference to the other day, such as "+12% (107)" or "−3 (12)"; empty if one of them is unknown.
 *
 * @param {Pick<Figure, "soFar" | "before">} figure
 */
export function changeText({ soFar, before }) {
  if (soFar === null || before === null) return "";
  const change =
    before < MIN_FOR_PERCENT
      ? number(soFar - before, { signDisplay: "exceptZero" })
      : number((soFar - before) / before, { style: "percent", signDisplay: "exceptZero" });
  return text("figure-change", { change, before });
}
