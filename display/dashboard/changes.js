/** Changes of state, told in words: the last ones in a list, the newest to screen readers. */

/** @import { Camera, State } from "./messages.js" */
/** @import { Clock, SiteTime } from "./times.js" */

import { byId, element, setShown, setText } from "./elements.js";
import { sinceOf, stateOf } from "./modules.js";
import { cameraWords, moduleWords } from "./words.js";

const MOST = 20;

/**
 * One thing that has a state: told as "capture: camera lost: unplugged".
 * @typedef {{name: string, state: string, text: string, detail: string, since: number | null}} Thing
 */

export class Changes {
  /** @type {Map<string, string> | null} */
  #before = null;

  /** @param {Clock} clock @param {SiteTime} site */
  constructor(clock, site) {
    this.clock = clock;
    this.site = site;
  }

  /** Tells what is otherwise than at the last call; the first call has nothing to compare with. @param {State} state */
  look(state) {
    const things = this.#things(state);
    const changed = things.filter(({ name, state: now }) => this.#before !== null && (this.#before.get(name) ?? "") !== now);
    this.#before = new Map(things.map(({ name, state: now }) => [name, now]));
    if (changed.length === 0) return;
    changed.forEach((thing) => this.#list(thing));
    this.say(changed.map(sentence).join(". "));
  }

  /** Says something to screen readers, once. @param {string} text */
  say(text) {
    setText(byId("announcements"), text);
  }

  /** @param {State} state @returns {Thing[]} */
  #things({ modules, cameras }) {
    const { now } = this.clock;
    const programs = Object.entries(modules).map(([name, module]) => {
      const state = stateOf(module, now);
      return { name, state, text: moduleWords(state).text, detail: module.detail, since: sinceOf(module, now) };
    });
    return [...programs, ...Object.entries(cameras).map(seen)];
  }

  /** @param {Thing} thing */
  #list(thing) {
    const list = byId("changes");
    const time = element("time", {}, this.site.since(thing.since ?? this.clock.now, this.clock.now));
    list.prepend(element("li", {}, time, " ", sentence(thing)));
    while (list.children.length > MOST) list.lastElementChild?.remove();
    setShown(byId("no-change"), false);
  }
}

/**
 * A camera tells of itself only that no predictions come: all else its capture says.
 *
 * @param {[string, Camera]} entry
 * @returns {Thing}
 */
function seen([name, { state, detail, since }]) {
  const silent = state === "silent";
  const text = silent ? cameraWords(state).text : "no longer silent";
  return { name: `camera ${name}`, state: silent ? state : "", text, detail: silent ? detail : "", since: silent ? since : null };
}

/** @param {Thing} thing */
function sentence({ name, text, detail }) {
  return [name, text, detail].filter(Boolean).join(": ");
}
