/** The states of the modules, which report over the broker. Without it they are unknown. */

/** @import { Module, State } from "./messages.js" */
/** @import { Clock } from "./times.js" */

const SILENT_AFTER = 30; // seconds; modules report every ten seconds
const OPTIONAL = /^display/; // counting does not need it
const STOPPED = "stopped"; // the detail of a module that was stopped on purpose
const NOT_REPORTING = ["unknown", "silent", "offline", "absent"];

export class Broker {
  /** When the dashboard lost its connection to the broker; null while connected. @type {number | null} */
  disconnectedSince = null;
  /** @type {Record<string, Module>} */
  #modules = {};
  #reconnectedAt = -Infinity;

  /** @param {Clock} clock */
  constructor(clock) {
    this.clock = clock;
  }

  /** @param {State} state */
  update({ broker, modules }) {
    if (this.disconnected && broker.disconnected_since === null) this.#reconnectedAt = this.clock.now;
    this.disconnectedSince = broker.disconnected_since;
    this.#modules = modules;
  }

  get disconnected() {
    return this.disconnectedSince !== null;
  }

  /** Whether the connection came back so recently that some modules have not reported yet. */
  get justReconnected() {
    return this.clock.now - this.#reconnectedAt < SILENT_AFTER / 2;
  }

  /**
   * Returns a module's state: "silent" if its last report is too old, "absent" if it is optional and was stopped on purpose, "unknown"
   * without the broker.
   *
   * @param {string} name
   */
  stateOf(name) {
    const { state, at, detail } = this.#modules[name];
    if (this.disconnected) return "unknown";
    if (state === "offline" && detail === STOPPED && OPTIONAL.test(name)) return "absent";
    const isSilent = state !== "offline" && at !== null && this.clock.now - Math.max(at, this.#reconnectedAt) > SILENT_AFTER;
    return isSilent ? "silent" : state;
  }

  /** When that state began; null if unknown. @param {string} name */
  sinceOf(name) {
    const { since, at } = this.#modules[name];
    const state = this.stateOf(name);
    return state === "unknown" ? null : state === "silent" ? at : since;
  }

  /** Whether a module with this name or prefix is reporting. @param {string} prefix */
  isReporting(prefix) {
    return Object.keys(this.#modules).some((name) => name.startsWith(prefix) && !NOT_REPORTING.includes(this.stateOf(name)));
  }
}
