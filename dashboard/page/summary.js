/** The one sentence that answers "is it working?", and what to do if it is not. */

/** @import { State } from "./messages.js" */
/** @import { Broker } from "./broker.js" */
/** @import { Clock, SiteTime } from "./times.js" */
/** @import { LabelColours } from "./colours.js" */
/** @import { Weight, Words } from "./words.js" */

import { byId, setAttribute, setText } from "./elements.js";
import { dayOf, grandTotal, total } from "./report.js";
import { cameraWords, counted, detailWords, grouped, moduleWords } from "./words.js";

/**
 * @typedef {{weight: Weight, text: string, advice: string}} Finding
 * @typedef {Finding & {title: string}} Overview `title` is for the window
 */

const COUNTING = /^(capture|classifier|counter)/; // modules without which nothing is counted
const STOPPED = "stopped"; // the detail of a module that was stopped
const MOST_LABELS = 4; // that a sentence bears
const ORDER = ["bad", "warn", "idle"];
const NOTHING_REPORTED = {
  weight: /** @type {Weight} */ ("idle"),
  text: "No camera has reported yet. Is capture running?",
  advice: "Start capture, or look into its log. Its camera is shown here as soon as it reports.",
};
const ALL_OFFLINE = {
  weight: /** @type {Weight} */ ("bad"),
  text: "Nothing is counted: all modules are offline.",
  advice: "Is Footfall stopped? Start it; this page goes on by itself.",
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
    const { weight, text, advice, title } = this.overview(state);
    this.display(weight, text, advice, title);
  }

  /** @param {State} state @returns {Overview} */
  overview(state) {
    const [first, ...others] = this.#findings(state);
    const counts = this.#counts(state);
    const also = others.length ? `Also: ${others.map(({ text }) => text).join(" ")}` : "";
    if (first && first.weight !== "warn") {
      return { ...first, advice: joined(first.advice, also, counts && `${counts}.`), title: first.text };
    }
    const text = `Counting. ${[working(state), counts].filter(Boolean).join(", ")}.`;
    const advice = joined(first?.text, first?.advice, also);
    return { weight: first?.weight ?? "good", text, advice, title: counts || "counting" };
  }

  /**
   * @param {Weight} weight
   * @param {string} text
   * @param {string} advice
   * @param {string} [title] of the window, where the text does not suit
   */
  display(weight, text, advice, title = text) {
    setAttribute(byId("overview"), "data-weight", weight);
    setText(byId("summary"), text);
    setText(byId("advice"), advice);
    const full = `${weight === "bad" ? "⚠ " : ""}Footfall: ${title}`;
    if (document.title !== full) document.title = full;
  }

  /** What needs attention, the worst first, each cause once. @param {State} state @returns {Finding[]} */
  #findings(state) {
    if (this.broker.awaySince !== null) return [this.#away(this.broker.awaySince)];
    const modules = Object.entries(state.modules);
    if (modules.length > 0 && modules.every(([, module]) => module.state === "offline")) return [ALL_OFFLINE];
    if (Object.keys(state.cameras).length === 0) return [NOTHING_REPORTED, ...this.#ofModules(state)];
    const findings = [...this.#ofModules(state), ...this.#ofCameras(state)];
    return findings.sort((one, other) => ORDER.indexOf(one.weight) - ORDER.indexOf(other.weight));
  }

  /** Without the broker nothing else is known. @param {number} since @returns {Finding} */
  #away(since) {
    const text = `Footfall's broker has been away since ${this.site.since(since, this.clock.now)}.`;
    return { weight: "bad", text, advice: "Is Mosquitto running? All goes on by itself when it is back." };
  }

  /** A camera's trouble is shown once, by its camera. @param {State} state @returns {Finding[]} */
  #ofModules(state) {
    return Object.entries(state.modules).flatMap(([name, { detail }]) => {
      const said = this.broker.stateOf(name);
      if (moduleWords(said).weight === "good" || said === "starting" || shownByCamera(name, said, state)) return [];
      if (name.startsWith("display") && said === "offline" && detail === STOPPED) return []; // not every run has one
      const words = COUNTING.test(name) ? moduleWords(said) : bearable(moduleWords(said));
      return [this.#finding(`The module ${name}`, said, words, this.broker.sinceOf(name), detail)];
    });
  }

  /** @param {State} state @returns {Finding[]} */
  #ofCameras(state) {
    const unclassified = Object.keys(state.modules).some((name) => isClassifier(name) && this.#isDown(name));
    return Object.entries(state.cameras).flatMap(([name, { state: said, since, detail }]) => {
      if (said === "live" || (said === "silent" && unclassified)) return [];
      return [this.#finding(`The camera ${name}`, said, cameraWords(said), since, detail)];
    });
  }

  /** @param {string} module */
  #isDown(module) {
    return ["offline", "silent"].includes(this.broker.stateOf(module));
  }

  /**
   * @param {string} subject
   * @param {string} state
   * @param {Words} words
   * @param {number | null} since
   * @param {string} detail
   * @returns {Finding}
   */
  #finding(subject, state, { weight, text, advice }, since, detail) {
    const when = since === null ? "" : ` since ${this.site.since(since, this.clock.now)}`;
    const isQuoted = state.includes("-");
    const verb = isQuoted ? (when ? "has said" : "says") : when ? "has been" : "is";
    const said = isQuoted ? `\u201c${text}\u201d` : text;
    return { weight, text: `${subject} ${verb} ${said}${when}${detail ? `: ${detailWords(detail)}` : ""}.`, advice };
  }

  /** "12 visitors today: man 5, woman 7"; empty while that is not known. @param {State} state */
  #counts({ today: { report, problem } }) {
    if (!report || problem || this.broker.away) return "";
    const { counts, hours } = dayOf(report, "");
    if (hours.size === 0) return "no data for today yet";
    const labels = this.colours.sorted(counts.keys()).filter((label) => total(counts, label));
    const most =
      labels.length <= MOST_LABELS ? labels : labels.toSorted((one, other) => total(counts, other) - total(counts, one));
    const named = most.slice(0, MOST_LABELS).map((label) => `${label} ${grouped(total(counts, label))}`);
    const each = named.concat(labels.length > MOST_LABELS ? ["and others"] : []).join(", ");
    return `${counted(grandTotal(counts), report.demo ? "demo visitor" : "visitor")} today${each ? `: ${each}` : ""}`;
  }
}

/** @param {...(string | undefined)} sentences */
function joined(...sentences) {
  return sentences.filter(Boolean).join(" ");
}

/** @param {State} state */
function working({ cameras }) {
  const live = Object.values(cameras).filter(({ state }) => state === "live").length;
  return `${counted(live, "camera")} live`;
}

/** @param {string} module @param {string} said @param {State} state */
function shownByCamera(module, said, { cameras }) {
  const capture = module.startsWith("capture");
  if (!capture && !["camera-lost", "paused", "ended"].includes(said)) return false;
  return Object.values(cameras).some(({ state }) => state !== "live" && state !== "silent");
}

/** @param {Words} words @returns {Words} */
function bearable(words) {
  return words.weight === "bad" ? { ...words, weight: "warn" } : words;
}

/** @param {string} module */
function isClassifier(module) {
  return module.startsWith("classifier");
}
