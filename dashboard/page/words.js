/** What states, metrics and reasons are called in plain words, and what to do about them. */

/** @import { Module, Update } from "./messages.js" */

/**
 * How much a state matters: all is well, somebody wants it so, something needs attention, nothing is counted.
 * @typedef {"good" | "idle" | "warn" | "bad"} Weight
 * @typedef {{text: string, weight: Weight, advice: string}} Words
 */

/** @type {Record<string, Words>} */
const CAMERA_STATES = {
  __proto__: null, // names come from messages, and "constructor" is none of these; here and below
  live: { text: "live", weight: "good", advice: "" },
  starting: { text: "starting", weight: "idle", advice: "The first picture comes in a moment." },
  lost: { text: "lost", weight: "bad", advice: "Check its cable, address or file. It is tried again by itself." },
  paused: { text: "paused", weight: "idle", advice: "It counts nobody until it is resumed." },
  ended: { text: "at its end", weight: "idle", advice: "The file was played to its end. Restart capture to play it again." },
  offline: {
    text: "offline",
    weight: "bad",
    advice: "Start its capture, or look into its log.",
  },
  silent: { text: "silent", weight: "bad", advice: "Capture runs, but no predictions come. Is the classifier running?" },
};

/** Whatever a camera said last, without the broker. @type {Words} */
export const BROKER_AWAY = { text: "not known", weight: "idle", advice: "What it sees is not known until the broker is back." };

/** @type {Record<string, Words>} */
const MODULE_STATES = {
  __proto__: null,
  running: { text: "running", weight: "good", advice: "" },
  starting: { text: "starting", weight: "idle", advice: "" },
  paused: { text: "paused", weight: "idle", advice: "It counts nobody until it is resumed." },
  ended: { text: "at its end", weight: "idle", advice: "The file was played to its end. Restart capture to play it again." },
  offline: { text: "offline", weight: "bad", advice: "Start it, or look into its log." },
  unknown: { text: "not known", weight: "idle", advice: "" },
  silent: {
    text: "silent",
    weight: "bad",
    advice: "It has stopped reporting. Is its machine reachable, or does it hang? See its log.",
  },
  "camera-lost": {
    text: "camera lost",
    weight: "bad",
    advice: "Check the camera's cable, address or file. It is tried again by itself.",
  },
  "matrix-lost": { text: "matrix lost", weight: "warn", advice: "Check that the Sense HAT sits well. Counting goes on." },
  "model-refused": {
    text: "model refused",
    weight: "warn",
    advice: "The model before it goes on. Put a model in its place that fits.",
  },
  "ledger-unavailable": {
    text: "ledger unavailable",
    weight: "bad",
    advice: "Make room on the disk, or mend it. The broker keeps what comes meanwhile.",
  },
  "outbox-unavailable": {
    text: "outbox unavailable",
    weight: "warn",
    advice: "Make room on the disk, or mend it. Counting goes on; the broker keeps the results meanwhile.",
  },
};

/** @param {string} state @returns {Words} */
export function cameraWords(state) {
  return CAMERA_STATES[state] ?? { text: plain(state), weight: "warn", advice: "" };
}

/** @param {string} state @returns {Words} */
export function moduleWords(state) {
  return MODULE_STATES[state] ?? { text: plain(state), weight: "warn", advice: "" };
}

const LAST_WILL = "connection lost"; // what the broker says of a module in its stead

/** Why a state is so, without the full stop. @param {string} detail */
export function detailWords(detail) {
  return detail === LAST_WILL ? "it ended without saying so, or cannot reach the broker" : detail.replace(/\.$/, "");
}

/** @type {Record<string, string>} */
const DROPS = {
  __proto__: null,
  dropped_for_newer: "for a newer one",
  dropped_old: "too old",
  dropped_ahead: "ahead of the clock",
  dropped_paused: "while paused",
  dropped_camera: "of a camera that cannot be",
  dropped_offline: "without the broker",
  dropped_unsent: "before they were sent",
  dropped_queue_full: "as the broker was too slow",
  dropped_questions: "questions, as too many waited",
  dropped_results: "results, as the outbox was full",
};

/** Why something was left out, as in "12 for a newer one". @param {string} reason */
export function dropWords(reason) {
  return DROPS[reason] ?? plain(reason.replace(/^dropped_/, ""));
}

/** @type {Record<string, string>} */
const METRICS = {
  __proto__: null,
  frames_in: "frames received",
  frames_out: "frames sent",
  predictions_in: "predictions received",
  predictions_out: "predictions made",
  visits_out: "visits published",
  inference_ms: "time of one prediction",
  frame_age_ms: "age of a frame when predicted",
  sink_sent: "results forwarded",
  sink_failed: "attempts to forward that failed",
  edgehub_clients: "connections to edgeHub",
  edgehub_stuck: "threads stuck in edgeHub's client",
  outbox: "results waiting to be sent",
  invalid: "messages refused",
  failed: "messages that failed",
  ledger_failed: "times the ledger failed",
  ledgers_replaced: "ledgers that were damaged and replaced",
  outbox_failed: "times the outbox failed",
  outboxes_replaced: "outboxes that were damaged and replaced",
  summarys_in: "hourly summaries received",
  summarys_out: "hourly summaries published",
  currentlabels_in: "changes of who is there received",
  currentlabels_out: "changes of who is there published",
  daycounts_in: "counts received",
  daycounts_out: "counts published",
  visits_in: "visits received",
  questions_in: "questions for a day's counts received",
  questions_out: "questions for a day's counts asked",
  answers_in: "answers received",
  answers_out: "answers given",
  connect_failed: "connections that failed",
  disconnected: "times the broker was lost",
  revived: "times its connection was started again",
  unanswered: "questions that could not be answered",
  clock_stepped: "seconds by which the clock was last set",
  clock_steps: "times the clock was set",
  clock_jump_seconds: "seconds between a frame's time and the clock",
  health_failed: "times the health file could not be written",
  invalid_state: "saved states that could not be read",
};

/** @param {string} name */
export function metricName(name) {
  if (name in METRICS) return METRICS[name];
  return name.startsWith("dropped_") ? `dropped ${dropWords(name)}` : plain(name);
}

/** @param {string} name @param {number} value */
export function metricText(name, value) {
  return name.endsWith("_ms") ? `${grouped(value)}\u00a0ms` : grouped(value);
}

/** The few metrics of a module that say most, in a reader's order. @param {Module} module @returns {string[]} */
export function mainMetrics({ model, update, metrics, rates }) {
  const said = [];
  if ("frames_out" in rates) said.push(`${rate(rates.frames_out)} frames a second`);
  if ("predictions_out" in rates) said.push(`${rate(rates.predictions_out)} predictions a second`);
  else if ("predictions_in" in rates) said.push(`${rate(rates.predictions_in)} predictions a second taken`);
  if ("inference_ms" in metrics) said.push(`${rate(metrics.inference_ms)}\u00a0ms each`);
  if (model !== null) said.push(model);
  if (update && update.state !== "none") said.push(updateText(update));
  if ("visits_out" in metrics) said.push(`${counted(metrics.visits_out, "visit")} since its start`);
  if (metrics.outbox > 0) said.push(`${grouped(metrics.outbox)} waiting to be sent`);
  return said;
}

/** What became of the model that is wanted. @param {Update} update */
function updateText({ state, detail }) {
  return `wanted model: ${plain(state)}${detail ? ` (${detail})` : ""}`;
}

/** @param {number} share 0..1 */
export function percent(share) {
  return `${Math.round(share * 100)}\u202f%`;
}

/** @param {number | null} perSecond */
export function rate(perSecond) {
  return perSecond === null ? "–" : perSecond.toFixed(1);
}

/** @param {number} number */
export function grouped(number) {
  return new Intl.NumberFormat("en-GB", { maximumFractionDigits: 2 }).format(number);
}

/** "1 visitor", "2 visitors". @param {number} number @param {string} noun */
export function counted(number, noun) {
  return `${grouped(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** @param {string} name */
function plain(name) {
  return name.replaceAll(/[_-]+/g, " ").trim();
}
