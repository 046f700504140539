/** Changes of state: a list of the last ones, and announcements for screen readers. */

/** @import { Camera, State } from "../base/messages.js" */
/** @import { Broker } from "../base/broker.js" */
/** @import { Clock, SiteTime } from "../base/times.js" */

import { text } from "../base/language.js";
import { byId, element, setShown, setText } from "../base/elements.js";
import { cameraWords, detailWords, moduleWords } from "../base/words.js";

const MAX_LISTED = 20;

/**
 * Something with a state, shown as "capture: camera lost: unplugged". The broker has no name, a module's is its title.
 * @typedef {{name: string, title: string, state: string, text: string, detail: string, isGood: boolean}} Subject
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
    changed.forEach((words) => this.#list(words));
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

  /** Announces something to screen readers, once. @param {string} words */
  announce(words) {
    setText(byId("announcements"), words);
  }

  /** A new subject in a good state does not count as a change. @param {Subject} subject */
  #hasChanged({ name, state, isGood }) {
    const before = this.#states.get(name);
    return before === undefined ? !isGood : before !== state;
  }

  /** Only the broker, until it is connected and the modules have had time to report again. @param {State} state */
  #subjects({ modules, cameras }) {
    const { disconnected, justReconnected } = this.broker;
    const state = disconnected ? "disconnected" : "connected";
    const words = text(`system-broker-${state}`);
    const broker = { name: "", title: text("system-broker"), state, text: words, detail: "", isGood: !disconnected };
    if (disconnected || justReconnected) return [broker];
    const programs = Object.entries(modules).map(([name, { detail }]) => {
      const state = this.broker.stateOf(name);
      const words = moduleWords(state);
      return { name, title: name, state, text: words.text, detail: detailWords(detail), isGood: words.severity === "good" };
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
    const title = text("system-camera", { name: camera });
    return [{ name, title, state, text: cameraWords(state).text, detail: isSilent ? detail : "", isGood: state === "live" }];
  }

  /** @param {string} words */
  #list(words) {
    const list = byId("changes");
    list.prepend(element("li", {}, element("time", {}, this.site.minutes(this.clock.now)), " ", words));
    while (list.children.length > MAX_LISTED) list.lastElementChild?.remove();
    setShown(byId("no-change"), false);
  }
}

/** @param {Subject} subject */
function sentence({ title, text: state, detail }) {
  return text(detail ? "system-change-because" : "system-change", { subject: title, state, reason: detail });
}
