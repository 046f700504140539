/** Changes of state, told in words: the last ones in a list, the newest to screen readers. */

/** @import { Camera, State } from "./messages.js" */
/** @import { Broker } from "./broker.js" */
/** @import { Clock, SiteTime } from "./times.js" */

import { byId, element, setShown, setText } from "./elements.js";
import { cameraWords, detailWords, moduleWords } from "./words.js";

const MOST = 20;

/**
 * One thing that has a state: told as "capture: camera lost: unplugged".
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

  /** Tells what is otherwise than at the last call; the first call has nothing to compare with. @param {State} state */
  look(state) {
    const things = this.#things(state).filter((thing) => thing.state !== "starting");
    const changed = things.filter((thing) => this.#begun && this.#isNews(thing));
    for (const thing of things) this.#before.set(thing.name, thing.state);
    this.#begun = true;
    if (changed.length === 0) return;
    changed.forEach((thing) => this.#list(thing));
    this.say(changed.map(sentence).join(". "));
  }

  /** Says something to screen readers, once. @param {string} text */
  say(text) {
    setText(byId("announcements"), text);
  }

  /** That something new is well is none. @param {Thing} thing */
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
   * A camera tells of itself only that no predictions come, and what becomes of it then: all else its capture says.
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

  /** @param {Thing} thing */
  #list(thing) {
    const list = byId("changes");
    list.prepend(element("li", {}, element("time", {}, this.site.minutes(this.clock.now)), " ", sentence(thing)));
    while (list.children.length > MOST) list.lastElementChild?.remove();
    setShown(byId("no-change"), false);
  }
}

/** @param {Thing} thing */
function sentence({ name, text, detail }) {
  return [name, text, detail].filter(Boolean).join(": ");
}
