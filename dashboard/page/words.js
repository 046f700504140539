/** What states, metrics and reasons are called in plain words, and what to do about them. */

/** @import { Module } from "./messages.js" */

/**
 * How much a state matters: all is well, somebody wants it so, something is amiss, nothing is counted.
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
    advice: "It has stopped reporting. Is its machine reachable, or does it hang? Its log may tell.",
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
};

/** @param {string} state @returns {Words} */
export function cameraWords(state) {
  return CAMERA_STATES[state] ?? { text: plain(state), weight: "warn", advice: "" };
}

/** @param {string} state @returns {Words} */
export function moduleWords(state) {
  const advice = state.startsWith("upstream") ? "Results wait in the outbox until they can be sent. Counting goes on." : "";
  return MODULE_STATES[state] ?? { text: plain(state), weight: "warn", advice };
}

const LAST_WILL = "connection lost"; // what the broker says of a module in its stead

/** Why a state is so, without the full stop. @param {string} detail */
export function detailWords(detail) {
  return detail === LAST_WILL ? "it ended without a word, or cannot reach the broker" : detail.replace(/\.$/, "");
}

/** @type {Record<string, string>} */
const DROPS = {
  __proto__: null,
  dropped_for_newer: "for a newer one",
  dropped_old: "too old",
  dropped_ahead: "ahead of the clock",
  dropped_late: "late or repeated",
  dropped_paused: "while paused",
  dropped_camera: "of a camera that cannot be",
  dropped_offline: "without the broker",
  dropped_unsent: "before they were sent",
  dropped_queue_full: "as the broker was too slow",
  dropped_questions: "questions, as too many waited",
};

/** Why something was left out, as in "12 for a newer one". @param {string} reason */
export function dropWords(reason) {
  return DROPS[reason] ?? plain(reason.replace(/^dropped_/, ""));
}

/** @type {Record<string, string>} */
const FIGURES = {
  __proto__: null,
  frames_in: "frames received",
  frames_out: "frames sent",
  predictions_in: "predictions received",
  predictions_out: "predictions made",
  visits_out: "visits told",
  inference_ms: "time of one prediction",
  frame_age_ms: "age of a frame when predicted",
  upstream_sent: "results sent upstream",
  upstream_failed: "attempts upstream that failed",
  upstream_stuck: "threads stuck upstream",
  outbox: "results waiting to be sent",
  invalid: "messages refused",
  failed: "messages that failed",
  ledger_failed: "times the ledger failed",
  ledgers_set_aside: "ledgers set aside",
  currentlabels_in: "changes of who is there received",
  currentlabels_out: "changes of who is there told",
  daycounts_in: "counts received",
  daycounts_out: "counts told",
  visits_in: "visits received",
  questions_in: "questions for a day's counts received",
  questions_out: "questions for a day's counts asked",
  answers_in: "answers to them received",
  answers_out: "answers to them given",
  connect_failed: "connections that failed",
  disconnected: "times the broker was lost",
  revived: "times its connection was started again",
  unanswered: "questions that could not be answered",
};

/** @param {string} name */
export function figureName(name) {
  if (name in FIGURES) return FIGURES[name];
  return name.startsWith("dropped_") ? `dropped ${dropWords(name)}` : plain(name);
}

/** @param {string} name @param {unknown} value @returns {string} */
export function figureText(name, value) {
  if (Array.isArray(value)) return value.map((item) => figureText("", item)).join(", ");
  if (typeof value === "number") return name.endsWith("_ms") ? `${grouped(value)}\u00a0ms` : grouped(value);
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? "none");
}

/** The few metrics of a module that say most, in a reader's order. @param {Module} module @returns {string[]} */
export function mainFigures({ metrics, rates }) {
  const said = [];
  if ("frames_out" in rates) said.push(`${rate(rates.frames_out)} frames a second`);
  if ("predictions_out" in rates) said.push(`${rate(rates.predictions_out)} predictions a second`);
  else if ("predictions_in" in rates) said.push(`${rate(rates.predictions_in)} predictions a second taken`);
  if (typeof metrics.inference_ms === "number") said.push(`${rate(metrics.inference_ms)}\u00a0ms each`);
  if (typeof metrics.model === "string") said.push(metrics.model);
  if (typeof metrics.visits_out === "number") said.push(`${counted(metrics.visits_out, "visit")} since its start`);
  if (typeof metrics.outbox === "number" && metrics.outbox > 0) said.push(`${grouped(metrics.outbox)} waiting to be sent`);
  return said;
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
