/**
 * The chart of a report: a stack of labels for each step, with an outline of the period before behind it.
 * It is made of elements, so that it fits any width, also that of paper.
 */

/** @import { Labels } from "../base/labels.js" */
/** @import { Step } from "./sums.js" */

import { element, setAttribute } from "../base/elements.js";

/**
 * `name` is that of a step, `tick` the one under the chart, `title` says all about it. `isUnknown`: it has begun,
 * and has no data.
 * @typedef {{step: Step, name: string, tick: string, title: string, isUnknown: boolean, isCurrent: boolean}} Column
 */

const NUMBERS = [1, 2, 5];
const DURATIONS = [60, 120, 300, 600, 1200, 1800, 3600, 7200, 18000, 36000];
const MAX_TICKS = 4;
const MANY = 14; // columns; every second name is then left out where there is little room

/**
 * @param {HTMLElement} host
 * @param {Column[]} columns
 * @param {string[]} keys from the bottom to the top
 * @param {Labels} labels
 * @param {(value: number) => string} write a number
 * @param {boolean} areDurations whether the numbers are seconds
 */
export function showBars(host, columns, keys, labels, write, areDurations) {
  const highest = Math.max(0, ...columns.flatMap(({ step }) => [step.now.sum ?? 0, step.before.sum ?? 0]));
  const ticks = ticksOf(highest, areDurations);
  const top = /** @type {number} */ (ticks.at(-1));
  host.classList.toggle("many", columns.length > MANY);
  const lines = ticks.map((value) => styled(element("span", { class: "tick" }, write(value)), { bottom: share(value, top) }));
  host.replaceChildren(
    element("div", { class: "scale" }, ...lines),
    element("div", { class: "columns" }, ...columns.map((column) => columnOf(column, keys, labels, write, top))),
  );
}

/**
 * @param {Column} column
 * @param {string[]} keys
 * @param {Labels} labels
 * @param {(value: number) => string} write
 * @param {number} top
 */
function columnOf({ step: { now, before }, tick, title, isUnknown, isCurrent }, keys, labels, write, top) {
  const parts = keys
    .filter((key) => now.counts.get(key))
    .map((key) => {
      return styled(element("i", { class: `swatch ${labels.classes(key)}` }), { flexGrow: String(now.counts.get(key)) });
    });
  const sum = now.sum ? [styled(element("b", {}, write(now.sum)), { bottom: share(now.sum, top) })] : [];
  const old = before.sum ? [styled(element("i", { class: "was" }), { height: share(before.sum, top) })] : [];
  const stack = styled(element("div", { class: "stack" }, ...parts.reverse()), { height: share(now.sum ?? 0, top) });
  const plot = element("div", { class: "plot" }, ...old, ...(now.sum ? [stack] : []), ...sum);
  const made = element("div", { class: "column", title }, plot, element("span", { class: "name" }, tick));
  setAttribute(made, "data-is", isUnknown ? "unknown" : isCurrent ? "current" : null);
  return made;
}

/**
 * Returns the numbers of the scale, from 0 to one that is not less than `highest`.
 *
 * @param {number} highest
 * @param {boolean} areDurations
 */
export function ticksOf(highest, areDurations) {
  let step = 1;
  for (let power = 1; ; power *= 10) {
    const steps = areDurations ? DURATIONS.map((seconds) => seconds * power) : NUMBERS.map((number) => number * power);
    const found = steps.find((one) => one * MAX_TICKS >= highest);
    if (!found) continue;
    step = found;
    break;
  }
  return Array.from({ length: Math.max(1, Math.ceil(highest / step)) + 1 }, (_, index) => index * step);
}

/** @param {number} value @param {number} top */
function share(value, top) {
  return `${(100 * value) / top}%`;
}

/** @template {HTMLElement} E @param {E} node @param {Record<string, string>} style @returns {E} */
function styled(node, style) {
  Object.assign(node.style, style); // the page's policy allows no style attributes
  return node;
}
