/** What a report shows, as it is in the address of the page: #reports?from=2026-W48&camera=door&show=in&open=yes. */

import { BEFORE, busiestDays, daysOf, periodOf, STEPS, unitOf } from "./periods.js";
import { dayAfter } from "../base/times.js";

/**
 * `camera` is empty for all cameras.
 * @typedef {"visits" | "in" | "out" | "zones"} Measure
 * @typedef {{period: string, camera: string, measure: Measure, open: boolean}} Choice
 */

/** @type {Measure[]} */
export const MEASURES = ["visits", "in", "out", "zones"];
const TABLES = { visits: "visits", in: "crossings", out: "crossings", zones: "zones" };

/**
 * Returns what an address asks for; what it does not say, or says wrong, is this week's visits. A period that has not begun is the
 * one that has.
 *
 * @param {string} hash
 * @param {string} today
 */
export function choiceIn(hash, today) {
  const asked = new URLSearchParams(hash.split("?")[1] ?? "");
  const [from, show] = [asked.get("from") ?? "", asked.get("show")];
  const unit = unitOf(from);
  return {
    period: unit && daysOf(from)[0] <= today ? from : periodOf(unit ?? "week", today),
    camera: asked.get("camera") ?? "",
    measure: MEASURES.find((one) => one === show) ?? "visits",
    open: asked.get("open") === "yes",
  };
}

/** @param {Choice} choice @returns {string} the part of the address after # */
export function hashOf({ period, camera, measure, open }) {
  const asked = new URLSearchParams({ from: period });
  if (camera) asked.set("camera", camera);
  if (measure !== "visits") asked.set("show", measure);
  if (open) asked.set("open", "yes");
  return `reports?${asked}`;
}

/** Whether the period is not over. @param {Choice} choice @param {string} now the site's time, such as 2026-11-23T14:05 */
export function isCurrent({ period }, now) {
  return now.slice(0, 10) < daysOf(period)[1];
}

/**
 * Returns the addresses of a report's requests: its steps; the sum of its time so far, beside the same time before; the same for
 * crossings; and the busiest times, up to the last full hour. Null: there has been no such hour.
 *
 * @param {Choice} choice
 * @param {string} now the site's time
 */
export function requestsOf(choice, now) {
  const unit = unitOf(choice.period) ?? "day";
  const [first, end] = daysOf(choice.period);
  const until = isCurrent(choice, now) ? minuteAfter(now) : end;
  const [busyFrom, busyLast] = busiestDays(choice.period);
  const fullHour = `${now.slice(0, 13)}:00`;
  const busyUntil = isCurrent(choice, now) ? fullHour : dayAfter(busyLast, 1);
  const sum = { from: first, to: until, by: unit, before: BEFORE[unit] };
  return {
    steps: address(choice, { from: choice.period, by: STEPS[unit], before: BEFORE[unit] }),
    sum: address(choice, sum, false),
    crossings: address({ ...choice, measure: "in" }, sum, false),
    busiest:
      busyUntil > `${busyFrom}T00:00` || busyUntil.length === 10
        ? address(choice, { from: busyFrom, to: busyUntil, by: "weekday-hour" })
        : null,
    busiestUntil: busyUntil,
  };
}

/** Returns the address of the report's steps as a file. @param {Choice} choice @param {"csv" | "json"} format */
export function fileOf(choice, format) {
  const unit = unitOf(choice.period) ?? "day";
  const parts = [
    "footfall",
    choice.period,
    choice.camera,
    choice.measure === "visits" ? "" : choice.measure,
    choice.open ? "open" : "",
  ];
  const href = address(choice, { from: choice.period, by: STEPS[unit], before: BEFORE[unit], format });
  return { href, name: `${parts.filter(Boolean).join("-")}.${format}` };
}

/** @param {Choice} choice @param {Record<string, string>} asked @param {boolean} [isDirected] one direction only, of crossings */
function address({ camera, measure, open }, asked, isDirected = true) {
  const query = new URLSearchParams(asked);
  if (measure !== "visits") query.set("table", TABLES[measure]);
  if (isDirected && (measure === "in" || measure === "out")) query.set("direction", measure);
  if (camera) query.set("camera", camera);
  if (open) query.set("open", "yes");
  return `/reports?${query}`;
}

/** @param {string} now such as 2026-11-23T14:05 */
function minuteAfter(now) {
  return new Date(Date.parse(`${now}Z`) + 60_000).toISOString().slice(0, 16);
}
