/** Changes of state: a list of the last ones, and announcements for screen readers. */

/** @import { Camera, State } from "./messages.js" */
/** @import { Broker } from "./broker.js" */
/** @import { Clock, SiteTime } from "./times.js" */

import { byId, element, setShown, setText } from "./elements.js";
import { cameraWords, detailWords, moduleWords } from "./words.js";

const MAX_LISTED = 20;

/**
 * Something with a state, shown as "capture: camera lost: unplugged".
 * @typedef {{name: string, state: string, text: string, detail: string, isGood: boolean}} Subject
 */

export class Changes {
  /** The last state of each subject, other than "starting". @type {Map<string, string>} */
  #states = new Map();
  #hasBegun = false;

  /** @param {Broker} broker @param {Clock} clock @param {SiteTime} site */
  constructor(broker, clock, site) {
    this.broker = broker;
    this.clock = clock;
    this.site = site;
  }

  /** Lists and announces what has changed. @param {State} state */
  show(state) {
    const changed = this.update(state);
    if (changed.length === 0) return;
    changed.forEach((text) => this.#list(text));
    this.announce(changed.join(". "));
  }

  /** Returns the changes since the last call, in words; none at the first call. @param {State} state */
  update(state) {
    const subjects = this.#subjects(state).filter((subject) => subject.state !== "starting");
    const changed = subjects.filter((subject) => this.#hasBegun && this.#hasChanged(subject));
    for (const subject of subjects) this.#states.set(subject.name, subject.state);
    this.#hasBegun = true;
    return changed.map(sentence);
  }

  /** Announces a text to screen readers, once. @param {string} text */
  announce(text) {
    setText(byId("announcements"), text);
  }

  /** A new subject in a good state does not count as a change. @param {Subject} subject */
  #hasChanged({ name, state, isGood }) {
    const before = this.#states.get(name);
    return before === undefined ? !isGood : before !== state;
  }

  /** Only the broker, until it is connected and the modules have had time to report again. @param {State} state */
  #subjects({ modules, cameras }) {
    const { disconnected, justReconnected } = this.broker;
    const text = disconnected ? "disconnected" : "connected";
    const broker = { name: "broker", state: text, text, detail: "", isGood: !disconnected };
    if (disconnected || justReconnected) return [broker];
    const programs = Object.entries(modules).map(([name, { detail }]) => {
      const state = this.broker.stateOf(name);
      const { text, severity } = moduleWords(state);
      return { name, state, text, detail: detailWords(detail), isGood: severity === "good" };
    });
    return [broker, ...programs, ...Object.entries(cameras).flatMap((entry) => this.#silentCamera(entry))];
  }

  /**
   * Returns a camera while it is silent and for its next state. Its capture module reports all other states.
   *
   * @param {[string, Camera]} entry
   * @returns {Subject[]}
   */
  #silentCamera([camera, { state, detail }]) {
    const name = `camera ${camera}`;
    const isSilent = state === "silent";
    if (!isSilent && this.#states.get(name) !== "silent") {
      this.#states.delete(name);
      return [];
    }
    return [{ name, state, text: cameraWords(state).text, detail: isSilent ? detail : "", isGood: state === "live" }];
  }

  /** @param {string} text */
  #list(text) {
    const list = byId("changes");
    list.prepend(element("li", {}, element("time", {}, this.site.minutes(this.clock.now)), " ", text));
    while (list.children.length > MAX_LISTED) list.lastElementChild?.remove();
    setShown(byId("no-change"), false);
  }
}

/** @param {Subject} subject */
function sentence({ name, text, detail }) {
  return [name, text, detail].filter(Boolean).join(": ");
}
