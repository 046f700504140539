/** States, metrics and drop reasons in plain words, with advice. */

/** @import { Module, Update } from "./messages.js" */

import { hasText, number, text } from "./language.js";

/**
 * The severity of a state: working, idle on purpose, needs attention, not counting.
 * @typedef {"good" | "idle" | "warn" | "bad"} Severity
 * @typedef {{text: string, severity: Severity, advice: string}} Words
 */

/** @type {Record<string, Severity>} */
const CAMERA_STATES = {
  __proto__: null, // names come from messages: "constructor" must not be found, here and below
  live: "good",
  still: "good", // few pictures, because they are all alike
  unknown: "idle", // without the broker
  starting: "idle",
  lost: "bad",
  paused: "idle",
  ended: "idle",
  offline: "bad",
  silent: "bad",
};

/** @type {Record<string, Severity>} */
const MODULE_STATES = {
  __proto__: null,
  running: "good",
  starting: "idle",
  paused: "idle",
  ended: "idle",
  offline: "bad",
  unknown: "idle",
  silent: "bad",
  absent: "idle", // stopped on purpose, and counting does not need it
  "camera-lost": "bad",
  "matrix-lost": "warn",
  "model-refused": "warn",
  "ledger-unavailable": "bad",
  "outbox-unavailable": "warn",
  "name-taken": "bad",
};

/** @param {string} state @returns {Words} */
export function cameraWords(state) {
  const severity = CAMERA_STATES[state] ?? "warn";
  return { text: textOr(`camera-state-${state}`, state), severity, advice: textOr(`camera-advice-${state}`, "") };
}

/** @param {string} state @returns {Words} */
export function moduleWords(state) {
  const severity = MODULE_STATES[state] ?? "warn";
  return { text: textOr(`module-state-${state}`, state), severity, advice: textOr(`module-advice-${state}`, "") };
}

const LAST_WILL = "connection lost"; // the detail of a module's last will

/** Returns the detail of a state, without a mark at its end. @param {string} detail */
export function detailWords(detail) {
  return detail === LAST_WILL ? text("module-crashed") : detail.replace(/[.?!]$/, "");
}

/** Returns why something was dropped, as in "12 too old". @param {string} reason a metric such as "dropped_old" */
export function dropWords(reason) {
  return textOr(`drop-${hyphens(reason.replace(/^dropped_/, ""))}`, reason.replace(/^dropped_/, ""));
}

/** @param {string} name */
export function metricName(name) {
  if (name.startsWith("dropped_")) return text("metric-dropped", { why: dropWords(name) });
  return textOr(`metric-${hyphens(name)}`, name);
}

/** @param {string} name @param {number} value */
export function metricText(name, value) {
  return name.endsWith("_ms") ? text("milliseconds", { value: number(value) }) : number(value);
}

/** Returns the most important metrics of a module. @param {Module} module @returns {string[]} */
export function mainMetrics({ model, update, metrics, rates }) {
  const parts = [];
  if ("frames_out" in rates) parts.push(text("system-frames", { rate: rate(rates.frames_out) }));
  if ("predictions_out" in rates) parts.push(text("system-predictions", { rate: rate(rates.predictions_out) }));
  else if ("predictions_in" in rates) parts.push(text("system-predictions-in", { rate: rate(rates.predictions_in) }));
  if ("inference_ms" in metrics) parts.push(text("system-inference", { time: text("milliseconds", { value: rate(metrics.inference_ms) }) }));
  if (model !== null) parts.push(model);
  if (update && update.state !== "none") parts.push(updateText(update));
  if ("visits_out" in metrics) parts.push(text("system-visits", { visits: metrics.visits_out }));
  if (metrics.outbox > 0) parts.push(text("system-outbox", { results: metrics.outbox }));
  return parts;
}

/** Describes the update to the wanted model. @param {Update} update */
function updateText({ state, detail }) {
  const words = textOr(`model-state-${state}`, state);
  return text(detail ? "system-update-because" : "system-update", { state: words, detail });
}

/** @param {number | null} perSecond */
export function rate(perSecond) {
  return perSecond === null ? "–" : number(perSecond, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** Returns a text of the catalogue; if it has none with this id, a name in plain words. @param {string} id @param {string} name */
function textOr(id, name) {
  return hasText(id) ? text(id) : name.replaceAll(/[_-]+/g, " ").trim();
}

/** @param {string} name of a metric */
function hyphens(name) {
  return name.replaceAll("_", "-");
}
