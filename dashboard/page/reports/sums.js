/** Sums over the rows of a report, by step and label, beside those of the period before. */

/** @import { Measure } from "./choice.js" */

/**
 * A row of `GET /reports`. Numbers are null where there is no data. `counted` is the share of the time in which the camera
 * counted.
 * @typedef {{
 *   period: string, from: string, to: string, camera: string, label: string, line?: string, direction?: string, zone?: string,
 *   visits?: number | null, crossings?: number | null, seconds?: number | null, counted: number | null,
 *   before?: number | null, seconds_before?: number | null, counted_before?: number | null, demo: boolean,
 * }} Row
 *
 * What was counted in a time: by key (a label or a zone), and of all keys; null: no data.
 * @typedef {{counts: Map<string, number>, visits: Map<string, number>, sum: number | null, coverage: Coverage}} Amount
 * `visits` are those in each zone
 * @typedef {Map<string, number | null>} Coverage the share that was counted, by camera
 * @typedef {{period: string, from: string, to: string, now: Amount, before: Amount}} Step
 */

const FULL = 0.995; // of the time; less is mentioned

/**
 * Returns the rows to add up: the demo's are left out if there are real ones.
 *
 * @param {Row[]} rows
 * @param {string} camera empty: all
 */
export function realRows(rows, camera) {
  const hasReal = rows.some(({ demo, counted }) => !demo && counted !== null);
  return camera || !hasReal ? rows : rows.filter(({ demo }) => !demo);
}

/** Whether the rows are the demo's. @param {Row[]} rows */
export function isDemo(rows) {
  return rows.some(({ demo }) => demo);
}

/** Returns the steps of a report in order. @param {Row[]} rows @param {Measure} measure @returns {Step[]} */
export function stepsOf(rows, measure) {
  /** @type {Map<string, Step>} */
  const steps = new Map();
  for (const row of rows) {
    const { period, from, to, camera } = row;
    const step = steps.get(period) ?? { period, from, to, now: amount(), before: amount() };
    steps.set(period, step);
    const [name, key] =
      measure === "zones" ? ["seconds", row.zone ?? ""] : [measure === "visits" ? "visits" : "crossings", row.label];
    const [value, old] = /** @type {any} */ (
      measure === "zones" ? [row.seconds, row.seconds_before] : [/** @type {any} */ (row)[name], row.before]
    );
    add(step.now, camera, key, value, row.visits, row.counted);
    add(step.before, camera, key, old, row.before, row.counted_before ?? null);
  }
  return [...steps.values()];
}

/** Returns crossings in a direction. @param {Row[]} rows @param {string} direction */
export function inDirection(rows, direction) {
  return rows.filter((row) => row.direction === direction || row.direction === ""); // without any line it is empty
}

/** Returns the keys of steps, without the empty one of a camera that counted nobody. @param {Step[]} steps */
export function keysOf(steps) {
  return new Set(steps.flatMap(({ now, before }) => [...now.counts.keys(), ...before.counts.keys()]).filter(Boolean));
}

/**
 * Returns the change of a number as a share of what it was; null where there is none.
 *
 * @param {number | null} now
 * @param {number | null} before
 */
export function change(now, before) {
  return now === null || !before ? null : (now - before) / before;
}

/** Whether each camera counted all the time, or none did. @param {Coverage} coverage */
export function isFull(coverage) {
  return [...coverage.values()].every((share) => share !== null && share >= FULL) || isUnknown(coverage);
}

/** @param {Coverage} coverage */
export function isUnknown(coverage) {
  return [...coverage.values()].every((share) => share === null);
}

/** Returns the mean share of the time that was counted; null: no data. @param {Coverage} coverage */
export function meanShare(coverage) {
  return isUnknown(coverage)
    ? null
    : [...coverage.values()].reduce((/** @type {number} */ sum, share) => sum + (share ?? 0), 0) / coverage.size;
}

/** @returns {Amount} */
function amount() {
  return { counts: new Map(), visits: new Map(), sum: null, coverage: new Map() };
}

/**
 * @param {Amount} to
 * @param {string} camera
 * @param {string} key
 * @param {number | null | undefined} value
 * @param {number | null | undefined} visits
 * @param {number | null} counted
 */
function add(to, camera, key, value, visits, counted) {
  to.coverage.set(camera, counted);
  if (typeof value !== "number") {
    if (counted !== null) to.sum ??= 0;
    return;
  }
  to.counts.set(key, (to.counts.get(key) ?? 0) + value);
  to.visits.set(key, (to.visits.get(key) ?? 0) + (visits ?? 0));
  to.sum = (to.sum ?? 0) + value;
}
