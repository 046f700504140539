/** States, metrics and drop reasons in plain words, with advice. */

/** @import { Module, Update } from "./messages.js" */

/**
 * The severity of a state: working, idle on purpose, needs attention, not counting.
 * @typedef {"good" | "idle" | "warn" | "bad"} Severity
 * @typedef {{text: string, severity: Severity, advice: string}} Words
 */

/** @type {Record<string, Words>} */
const CAMERA_STATES = {
  __proto__: null, // names come from messages: "constructor" must not be found, here and below
  live: { text: "live", severity: "good", advice: "" },
  starting: { text: "starting", severity: "idle", advice: "Waiting for the first picture." },
  lost: { text: "lost", severity: "bad", advice: "Check its cable, address or file. Footfall retries automatically." },
  paused: { text: "paused", severity: "idle", advice: "Not counting until it is resumed." },
  ended: { text: "ended", severity: "idle", advice: "The file was played to its end. Restart capture to play it again." },
  offline: {
    text: "offline",
    severity: "bad",
    advice: "Start its capture module, or check the module's log.",
  },
  silent: { text: "silent", severity: "bad", advice: "Capture is running, but nothing is predicted. Is the classifier running?" },
};

/** The state of a camera without the broker. @type {Words} */
export const BROKER_DISCONNECTED = { text: "unknown", severity: "idle", advice: "Waiting for the broker." };

/** The state of a camera that sends few pictures because nothing moves. @type {Words} */
export const STILL = { text: "live, nothing moves", severity: "good", advice: "" };

export const WHOLE_PICTURES =
  "The model of this camera looks at whole pictures. Lines and zones count only with a detector.";

/** @type {Record<string, Words>} */
const MODULE_STATES = {
  __proto__: null,
  running: { text: "running", severity: "good", advice: "" },
  starting: { text: "starting", severity: "idle", advice: "" },
  paused: { text: "paused", severity: "idle", advice: "Not counting until it is resumed." },
  ended: { text: "ended", severity: "idle", advice: "The file was played to its end. Restart capture to play it again." },
  offline: { text: "offline", severity: "bad", advice: "Start it, or check its log." },
  unknown: { text: "unknown", severity: "idle", advice: "" },
  silent: {
    text: "silent",
    severity: "bad",
    advice: "It has stopped reporting. Check its machine, network and log.",
  },
  "camera-lost": {
    text: "camera lost",
    severity: "bad",
    advice: "Check the camera's cable, address or file. Footfall retries automatically.",
  },
  "matrix-lost": { text: "matrix lost", severity: "warn", advice: "Check that the Sense HAT is attached. Counting continues." },
  "model-refused": {
    text: "model refused",
    severity: "warn",
    advice: "The previous model stays active. Replace the refused model.",
  },
  "ledger-unavailable": {
    text: "ledger unavailable",
    severity: "bad",
    advice: "Free disk space, or repair the disk. The broker queues predictions meanwhile.",
  },
  "outbox-unavailable": {
    text: "outbox unavailable",
    severity: "warn",
    advice: "Free disk space, or repair the disk. Counting continues; the broker queues results meanwhile.",
  },
};

/** @param {string} state @returns {Words} */
export function cameraWords(state) {
  return CAMERA_STATES[state] ?? { text: plain(state), severity: "warn", advice: "" };
}

/** @param {string} state @returns {Words} */
export function moduleWords(state) {
  return MODULE_STATES[state] ?? { text: plain(state), severity: "warn", advice: "" };
}

const LAST_WILL = "connection lost"; // the detail of a module's last will

/** Returns the detail of a state, without a final full stop. @param {string} detail */
export function detailWords(detail) {
  return detail === LAST_WILL ? "it crashed or lost its connection to the broker" : detail.replace(/\.$/, "");
}

/** @type {Record<string, string>} */
const DROPS = {
  __proto__: null,
  dropped_for_newer: "replaced by a newer one",
  dropped_old: "too old",
  dropped_ahead: "ahead of the clock",
  dropped_paused: "while paused",
  dropped_camera: "of cameras that are not allowed",
  dropped_offline: "without the broker",
  dropped_unsent: "not sent in time",
  dropped_queue_full: "because the queue for the broker was full",
  dropped_questions: "questions because too many were waiting",
  dropped_results: "results because the outbox was full",
};

/** Returns why something was dropped, as in "12 too old". @param {string} reason */
export function dropWords(reason) {
  return DROPS[reason] ?? plain(reason.replace(/^dropped_/, ""));
}

/** @type {Record<string, string>} */
const METRICS = {
  __proto__: null,
  frames_in: "frames received",
  frames_out: "frames sent",
  predictions_in: "predictions received",
  predictions_out: "predictions published",
  visits_out: "visits published",
  inference_ms: "time of the last inference",
  frame_age_ms: "time from capture to prediction",
  sink_sent: "results forwarded",
  sink_failed: "failed attempts to forward a result",
  edgehub_clients: "clients created for edgeHub",
  edgehub_stuck: "calls into the Azure library that have not returned",
  outbox: "results waiting to be forwarded",
  invalid: "invalid messages",
  failed: "messages not handled because of an error",
  ledger_failed: "failed attempts to use the ledger",
  ledgers_replaced: "damaged ledgers replaced",
  outbox_failed: "failed attempts to use the outbox",
  outboxes_replaced: "damaged outboxes replaced",
  summarys_in: "hourly summaries received",
  summarys_out: "hourly summaries published",
  currentlabels_in: "label changes received",
  currentlabels_out: "label changes published",
  daycounts_in: "counts received",
  daycounts_out: "counts published",
  visits_in: "visits received",
  questions_in: "questions received",
  questions_out: "questions published",
  answers_in: "answers received",
  answers_out: "answers published",
  connect_failed: "failed attempts to connect to the broker",
  disconnected: "lost connections to the broker",
  revived: "restarts of the connection's thread",
  unanswered: "questions answered with a problem",
  clock_stepped: "last change of the clock, in seconds",
  clock_steps: "changes of the clock",
  clock_jump_seconds: "jump of the clock, in seconds",
  health_failed: "failed attempts to write the health file",
  invalid_state: "unreadable saved states",
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

/** Returns the most important metrics of a module. @param {Module} module @returns {string[]} */
export function mainMetrics({ model, update, metrics, rates }) {
  const parts = [];
  if ("frames_out" in rates) parts.push(`${rate(rates.frames_out)} frames per second`);
  if ("predictions_out" in rates) parts.push(`${rate(rates.predictions_out)} predictions per second`);
  else if ("predictions_in" in rates) parts.push(`${rate(rates.predictions_in)} predictions per second received`);
  if ("inference_ms" in metrics) parts.push(`${rate(metrics.inference_ms)}\u00a0ms each`);
  if (model !== null) parts.push(model);
  if (update && update.state !== "none") parts.push(updateText(update));
  if ("visits_out" in metrics) parts.push(`${counted(metrics.visits_out, "visit")} since it started`);
  if (metrics.outbox > 0) parts.push(`${grouped(metrics.outbox)} waiting to be forwarded`);
  return parts;
}

/** Describes the update to the wanted model. @param {Update} update */
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

/** Returns "1 visitor" or "2 visitors". @param {number} number @param {string} noun */
export function counted(number, noun) {
  return `${grouped(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** @param {string} name */
function plain(name) {
  return name.replaceAll(/[_-]+/g, " ").trim();
}
