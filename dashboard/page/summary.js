/** The top line: whether everything is working, and what to do if not. */

/** @import { State } from "./messages.js" */
/** @import { Broker } from "./broker.js" */
/** @import { Clock, SiteTime } from "./times.js" */
/** @import { LabelColours } from "./colours.js" */
/** @import { Severity, Words } from "./words.js" */

import { byId, setAttribute, setText } from "./elements.js";
import { dayOf, grandTotal, total } from "./report.js";
import { cameraWords, counted, detailWords, grouped, moduleWords } from "./words.js";

/**
 * @typedef {{severity: Severity, text: string, advice: string}} Finding
 * @typedef {Finding & {title: string}} Overview `title` is the title of the window
 */

const COUNTING = /^(capture|classifier|counter)/; // modules that counting requires
const STOPPED = "stopped"; // the detail of a module that was stopped on purpose
const MAX_LABELS = 4; // in a sentence
const ORDER = ["bad", "warn", "idle"];
const NOTHING_REPORTED = {
  severity: /** @type {Severity} */ ("idle"),
  text: "No camera has reported yet. Is capture running?",
  advice: "Start capture, or check its log. Its camera appears here once it reports.",
};
const ALL_OFFLINE = {
  severity: /** @type {Severity} */ ("bad"),
  text: "Not counting: all modules are offline.",
  advice: "If Footfall is stopped, start it; this page reconnects.",
};

export class Summary {
  /** @param {Broker} broker @param {Clock} clock @param {SiteTime} site @param {LabelColours} colours */
  constructor(broker, clock, site, colours) {
    this.broker = broker;
    this.clock = clock;
    this.site = site;
    this.colours = colours;
  }

  /** @param {State} state */
  show(state) {
    const { severity, text, advice, title } = this.overview(state);
    this.display(severity, text, advice, title);
  }

  /** @param {State} state @returns {Overview} */
  overview(state) {
    const [first, ...others] = this.#findings(state);
    const counts = this.#counts(state);
    const also = others.length ? `Also: ${others.map(({ text }) => text).join(" ")}` : "";
    if (first && first.severity !== "warn") {
      return { ...first, advice: joined(first.advice, also, counts && `${counts}.`), title: first.text };
    }
    const text = `Counting. ${[liveCameras(state), counts].filter(Boolean).join(", ")}.`;
    const advice = joined(first?.text, first?.advice, also);
    return { severity: first?.severity ?? "good", text, advice, title: counts || "counting" };
  }

  /**
   * @param {Severity} severity
   * @param {string} text
   * @param {string} advice
   * @param {string} [title] of the window
   */
  display(severity, text, advice, title = text) {
    setAttribute(byId("overview"), "data-severity", severity);
    setText(byId("summary"), text);
    setText(byId("advice"), advice);
    const full = `${severity === "bad" ? "⚠ " : ""}Footfall: ${title}`;
    if (document.title !== full) document.title = full;
  }

  /** Returns the problems, most severe first, each cause once. @param {State} state @returns {Finding[]} */
  #findings(state) {
    if (this.broker.disconnectedSince !== null) return [this.#brokerFinding(this.broker.disconnectedSince)];
    const modules = Object.entries(state.modules);
    if (modules.length > 0 && modules.every(([, module]) => module.state === "offline")) return [ALL_OFFLINE];
    if (Object.keys(state.cameras).length === 0) return [NOTHING_REPORTED, ...this.#moduleFindings(state)];
    const findings = [...this.#moduleFindings(state), ...this.#cameraFindings(state)];
    return findings.sort((one, other) => ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity));
  }

  /** Replaces all other findings: without the broker nothing else is known. @param {number} since @returns {Finding} */
  #brokerFinding(since) {
    const text = `No connection to the broker since ${this.site.since(since, this.clock.now)}.`;
    return { severity: "bad", text, advice: "Is Mosquitto running? Footfall reconnects automatically." };
  }

  /** Omits modules whose problem a camera already shows. @param {State} state @returns {Finding[]} */
  #moduleFindings(state) {
    return Object.entries(state.modules).flatMap(([name, { detail }]) => {
      const current = this.broker.stateOf(name);
      if (moduleWords(current).severity === "good" || current === "starting" || shownByCamera(name, current, state)) return [];
      if (name.startsWith("display") && current === "offline" && detail === STOPPED) return []; // a display is optional
      const words = COUNTING.test(name) ? moduleWords(current) : downgraded(moduleWords(current));
      return [this.#finding(`Module ${name}`, words, this.broker.sinceOf(name), detail)];
    });
  }

  /** @param {State} state @returns {Finding[]} */
  #cameraFindings(state) {
    const unclassified = Object.keys(state.modules).some((name) => isClassifier(name) && this.#isDown(name));
    return Object.entries(state.cameras).flatMap(([name, { state: current, since, detail }]) => {
      if (current === "live" || (current === "silent" && unclassified)) return [];
      return [this.#finding(`Camera ${name}`, cameraWords(current), since, detail)];
    });
  }

  /** @param {string} module */
  #isDown(module) {
    return ["offline", "silent"].includes(this.broker.stateOf(module));
  }

  /**
   * @param {string} subject
   * @param {Words} words
   * @param {number | null} since
   * @param {string} detail
   * @returns {Finding}
   */
  #finding(subject, { severity, text, advice }, since, detail) {
    const when = since === null ? "" : ` since ${this.site.since(since, this.clock.now)}`;
    return { severity, text: `${subject}: ${text}${when}${detail ? ` (${detailWords(detail)})` : ""}.`, advice };
  }

  /** Returns a text such as "12 visitors today: man 5, woman 7"; empty if unknown. @param {State} state */
  #counts({ today: { report, problem } }) {
    if (!report || problem || this.broker.disconnected) return "";
    const { counts, hours } = dayOf(report, "");
    if (hours.size === 0) return "no data for today yet";
    const labels = this.colours.sorted(counts.keys()).filter((label) => total(counts, label));
    const ranked =
      labels.length <= MAX_LABELS ? labels : labels.toSorted((one, other) => total(counts, other) - total(counts, one));
    const named = ranked.slice(0, MAX_LABELS).map((label) => `${label} ${grouped(total(counts, label))}`);
    const each = named.concat(labels.length > MAX_LABELS ? ["and others"] : []).join(", ");
    return `${counted(grandTotal(counts), report.demo ? "demo visitor" : "visitor")} today${each ? `: ${each}` : ""}`;
  }
}

/** @param {...(string | undefined)} sentences */
function joined(...sentences) {
  return sentences.filter(Boolean).join(" ");
}

/** @param {State} state */
function liveCameras({ cameras }) {
  const live = Object.values(cameras).filter(({ state }) => state === "live").length;
  return `${counted(live, "camera")} live`;
}

/** @param {string} module @param {string} current @param {State} state */
function shownByCamera(module, current, { cameras }) {
  const capture = module.startsWith("capture");
  if (!capture && !["camera-lost", "paused", "ended"].includes(current)) return false;
  return Object.values(cameras).some(({ state }) => state !== "live" && state !== "silent");
}

/** @param {Words} words @returns {Words} */
function downgraded(words) {
  return words.severity === "bad" ? { ...words, severity: "warn" } : words;
}

/** @param {string} module */
function isClassifier(module) {
  return module.startsWith("classifier");
}
