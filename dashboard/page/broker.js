/** The modules' states, as far as they are known: all reports come by way of the broker. */

/** @import { Module, State } from "./messages.js" */
/** @import { Clock } from "./times.js" */

const SILENT_AFTER = 30; // seconds; a module reports every ten

export class Broker {
  /** When the dashboard lost the broker; null while it is there. @type {number | null} */
  awaySince = null;
  /** @type {Record<string, Module>} */
  #modules = {};
  #backAt = -Infinity;

  /** @param {Clock} clock */
  constructor(clock) {
    this.clock = clock;
  }

  /** @param {State} state */
  learn({ broker, modules }) {
    if (this.away && broker.away_since === null) this.#backAt = this.clock.now;
    this.awaySince = broker.away_since;
    this.#modules = modules;
  }

  get away() {
    return this.awaySince !== null;
  }

  /** Whether it came back only just now, so that most have not reported yet. */
  get settling() {
    return this.clock.now - this.#backAt < SILENT_AFTER / 2;
  }

  /** A module's state, "silent" where its last report is too old, and "unknown" without the broker. @param {string} name */
  stateOf(name) {
    const { state, at } = this.#modules[name];
    if (this.away) return "unknown";
    const isSilent = state !== "offline" && at !== null && this.clock.now - Math.max(at, this.#backAt) > SILENT_AFTER;
    return isSilent ? "silent" : state;
  }

  /** Since when it is so, if that is known. @param {string} name */
  sinceOf(name) {
    const { since, at } = this.#modules[name];
    const state = this.stateOf(name);
    return state === "unknown" ? null : state === "silent" ? at : since;
  }

  /** Whether a module runs and reports whose name begins so. @param {string} beginning */
  reports(beginning) {
    return Object.keys(this.#modules).some(
      (name) => name.startsWith(beginning) && !["unknown", "silent", "offline"].includes(this.stateOf(name)),
    );
  }
}
