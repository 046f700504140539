/** The top line: whether everything is working, and what to do if not. */

/** @import { State } from "../base/messages.js" */
/** @import { Broker } from "../base/broker.js" */
/** @import { Clock, SiteTime } from "../base/times.js" */
/** @import { Severity, Words } from "../base/words.js" */

import { text } from "../base/language.js";
import { byId, setAttribute, setText } from "../base/elements.js";
import { dayOf, grandTotal } from "./report.js";
import { alertText } from "../live/alerts.js";
import { cameraWords, detailWords, moduleWords } from "../base/words.js";

/**
 * @typedef {{severity: Severity, text: string, advice: string}} Finding
 * @typedef {Finding & {title: string}} Overview `title` is the title of the window
 */

const COUNTING = /^(capture|classifier|counter)/; // modules that counting requires
const NO_PROBLEM = ["starting", "absent"];
const MAX_OTHERS = 3; // problems that are named beside the first; all are in the views
const ORDER = ["bad", "warn", "idle"];

export class Summary {
  /** @param {Broker} broker @param {Clock} clock @param {SiteTime} site */
  constructor(broker, clock, site) {
    this.broker = broker;
    this.clock = clock;
    this.site = site;
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
    const also = others.length ? text("also", { problems: others.slice(0, MAX_OTHERS).map((one) => one.text).join(" ") }) : "";
    if (first && first.severity !== "warn") return { ...first, advice: joined(first.advice, also), title: first.text };
    const cameras = Object.values(state.cameras).filter((camera) => camera.state === "live").length;
    const advice = joined(first?.text, first?.advice, also);
    return { severity: first?.severity ?? "good", text: text("counting-cameras", { cameras }), advice, title: counts || text("counting") };
  }

  /**
   * @param {Severity} severity
   * @param {string} summary
   * @param {string} advice
   * @param {string} [title] of the window
   */
  display(severity, summary, advice, title = summary) {
    setAttribute(byId("overview"), "data-severity", severity);
    setText(byId("summary"), summary);
    setText(byId("advice"), advice);
    const full = `${severity === "bad" ? "⚠ " : ""}${byId("site-title").textContent}: ${title}`;
    if (document.title !== full) document.title = full;
  }

  /** Returns the problems, most severe first, each cause once. @param {State} state @returns {Finding[]} */
  #findings(state) {
    if (this.broker.disconnectedSince !== null) return [this.#brokerFinding(this.broker.disconnectedSince)];
    const modules = Object.entries(state.modules);
    if (modules.length > 0 && modules.every(([, module]) => module.state === "offline")) return [finding("bad", "all-offline")];
    if (Object.keys(state.cameras).length === 0) return [finding("idle", "nothing-reported"), ...this.#moduleFindings(state)];
    const findings = [...this.#alertFindings(state), ...this.#moduleFindings(state), ...this.#cameraFindings(state)];
    return findings.sort((one, other) => ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity));
  }

  /** Replaces all other findings: without the broker nothing else is known. @param {number} since @returns {Finding} */
  #brokerFinding(since) {
    return finding("bad", "broker-lost", { time: this.site.since(since, this.clock.now) });
  }

  /** Without the counter nobody knows whether an alert still holds. @param {State} state @returns {Finding[]} */
  #alertFindings(state) {
    if (!this.broker.isReporting("counter")) return [];
    return Object.entries(state.cameras).flatMap(([camera, { alerts }]) =>
      alerts.map((alert) => ({
        severity: "warn",
        text: text("alert-at", { rule: alert.rule, camera, alert: alertText(alert) }),
        advice: "",
      })),
    );
  }

  /** Omits modules whose problem a camera already shows. @param {State} state @returns {Finding[]} */
  #moduleFindings(state) {
    return Object.entries(state.modules).flatMap(([name, { detail }]) => {
      const current = this.broker.stateOf(name);
      if (moduleWords(current).severity === "good" || NO_PROBLEM.includes(current) || shownByCamera(name, current, state)) return [];
      const words = COUNTING.test(name) ? moduleWords(current) : downgraded(moduleWords(current));
      return [this.#finding(text("module", { name }), words, this.broker.sinceOf(name), detail)];
    });
  }

  /** @param {State} state @returns {Finding[]} */
  #cameraFindings(state) {
    const unclassified = Object.keys(state.modules).some((name) => isClassifier(name) && this.#isDown(name));
    return Object.entries(state.cameras).flatMap(([name, { state: current, since, detail }]) => {
      if (current === "live" || (current === "silent" && unclassified)) return [];
      return [this.#finding(text("camera-name", { name }), cameraWords(current), since, detail)];
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
  #finding(subject, { severity, text: state, advice }, since, detail) {
    const time = since === null ? "" : this.site.since(since, this.clock.now);
    const what = time ? text("state-since", { subject, state, time }) : text("state-of", { subject, state });
    return { severity, text: `${what}${detail ? ` (${detailWords(detail)})` : ""}.`, advice };
  }

  /** Returns a text such as "12 visitors today"; empty if unknown. @param {State} state */
  #counts({ today: { report, problem } }) {
    if (!report || problem || this.broker.disconnected) return "";
    const { counts, hours } = dayOf(report, "");
    if (hours.size === 0) return text("no-data-today");
    return text(report.demo ? "demo-visitors-today" : "visitors-today", { visitors: grandTotal(counts) });
  }
}

/** @param {Severity} severity @param {string} id @param {Record<string, string>} [values] @returns {Finding} */
function finding(severity, id, values = {}) {
  return { severity, text: text(id, values), advice: text(`${id}-advice`) };
}

/** @param {...(string | undefined)} sentences */
function joined(...sentences) {
  return sentences.filter(Boolean).join(" ");
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
