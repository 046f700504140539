/** Changes of state in words: the last ones in a list, the newest to screen readers. */

/** @import { Camera, State } from "./messages.js" */
/** @import { Broker } from "./broker.js" */
/** @import { Clock, SiteTime } from "./times.js" */

import { byId, element, setShown, setText } from "./elements.js";
import { cameraWords, detailWords, moduleWords } from "./words.js";

const MOST = 20;

/**
 * One thing that has a state, shown as "capture: camera lost: unplugged".
 * @typedef {{name: string, state: string, text: string, detail: string, good: boolean}} Thing
 */

export class Changes {
  /** The last state of each thing, except that it was starting. @type {Map<string, string>} */
  #before = new Map();
  #begun = false;

  /** @param {Broker} broker @param {Clock} clock @param {SiteTime} site */
  constructor(broker, clock, site) {
    this.broker = broker;
    this.clock = clock;
    this.site = site;
  }

  /** Show what has changed. @param {State} state */
  show(state) {
    const changed = this.news(state);
    if (changed.length === 0) return;
    changed.forEach((text) => this.#list(text));
    this.say(changed.join(". "));
  }

  /** What has changed since the last call, in words; nothing at the first call. @param {State} state */
  news(state) {
    const things = this.#things(state).filter((thing) => thing.state !== "starting");
    const changed = things.filter((thing) => this.#begun && this.#isNews(thing));
    for (const thing of things) this.#before.set(thing.name, thing.state);
    this.#begun = true;
    return changed.map(sentence);
  }

  /** Announce something to screen readers, once. @param {string} text */
  say(text) {
    setText(byId("announcements"), text);
  }

  /** A new thing that is well is no news. @param {Thing} thing */
  #isNews({ name, state, good }) {
    const before = this.#before.get(name);
    return before === undefined ? !good : before !== state;
  }

  /** Without the broker nothing is known of the others, nor before they have had time to report again. @param {State} state */
  #things({ modules, cameras }) {
    const { away, settling } = this.broker;
    const broker = { name: "broker", state: String(away), text: away ? "away" : "back", detail: "", good: !away };
    if (away || settling) return [broker];
    const programs = Object.entries(modules).map(([name, { detail }]) => {
      const state = this.broker.stateOf(name);
      const { text, weight } = moduleWords(state);
      return { name, state, text, detail: detailWords(detail), good: weight === "good" };
    });
    return [broker, ...programs, ...Object.entries(cameras).flatMap((entry) => this.#seen(entry))];
  }

  /**
   * A camera is shown only while no predictions come, and what follows; all else its capture reports.
   *
   * @param {[string, Camera]} entry
   * @returns {Thing[]}
   */
  #seen([camera, { state, detail }]) {
    const name = `camera ${camera}`;
    const isSilent = state === "silent";
    if (!isSilent && this.#before.get(name) !== "silent") {
      this.#before.delete(name);
      return [];
    }
    return [{ name, state, text: cameraWords(state).text, detail: isSilent ? detail : "", good: state === "live" }];
  }

  /** @param {string} text */
  #list(text) {
    const list = byId("changes");
    list.prepend(element("li", {}, element("time", {}, this.site.minutes(this.clock.now)), " ", text));
    while (list.children.length > MOST) list.lastElementChild?.remove();
    setShown(byId("no-change"), false);
  }
}

/** @param {Thing} thing */
function sentence({ name, text, detail }) {
  return [name, text, detail].filter(Boolean).join(": ");
}
