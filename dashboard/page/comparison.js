/** The choice of another day to compare with, and its counts, asked of the server. */

/** @import { DayReport } from "./messages.js" */

import { byId, setAttribute, setShown, setText } from "./elements.js";
import { dayAfter } from "./times.js";

const PATIENCE = 10_000; // milliseconds for an answer

export class Comparison {
  /** The chosen day's counts. @type {DayReport | null} */
  report = null;
  #today = "";
  /** How many days back was asked for by a button: such a choice moves on with the day. @type {number | null} */
  #back = null;
  #asked = 0;
  #input = /** @type {HTMLInputElement} */ (byId("compare"));

  /** @param {() => void} changed @param {() => void} signIn */
  constructor(changed, signIn) {
    this.changed = changed;
    this.signIn = signIn;
    this.#input.addEventListener("change", () => this.#choose(this.#input.value, null));
    byId("compare-yesterday").addEventListener("click", () => this.#choose(dayAfter(this.#today, -1), 1));
    byId("compare-week").addEventListener("click", () => this.#choose(dayAfter(this.#today, -7), 7));
    byId("compare-none").addEventListener("click", () => this.#none());
  }

  /** @param {string} day which it is now at the site */
  follow(day) {
    if (day === this.#today) return;
    this.#today = day;
    this.#input.max = dayAfter(day, -1);
    if (this.#back !== null) this.#choose(dayAfter(day, -this.#back), this.#back);
  }

  /** @param {string} day empty: none @param {number | null} back */
  async #choose(day, back) {
    this.#asked += 1;
    const asked = this.#asked;
    this.#back = back;
    this.#input.value = day;
    this.#mark();
    this.#say(day ? "Asking for that day…" : "");
    const { report, problem } = day ? await fetchDay(day, this.signIn) : { report: null, problem: "" };
    if (asked !== this.#asked) return; // somebody has chosen again in the meantime
    this.report = report;
    this.#say(problem);
    this.changed();
  }

  /** The button vanishes: who pressed it by the keyboard goes on at the choice. */
  #none() {
    this.#choose("", null);
    this.#input.focus();
  }

  #mark() {
    const chosen = { "compare-yesterday": this.#back === 1, "compare-week": this.#back === 7 };
    for (const [id, pressed] of Object.entries(chosen)) setAttribute(byId(id), "aria-pressed", String(pressed));
    setShown(byId("compare-none"), this.#input.value !== "");
  }

  /** @param {string} text */
  #say(text) {
    setText(byId("compare-problem"), text);
  }
}

/**
 * @param {string} day
 * @param {() => void} signIn
 * @returns {Promise<{report: DayReport | null, problem: string}>}
 */
async function fetchDay(day, signIn) {
  try {
    const answer = await fetch(`/api/counts?day=${encodeURIComponent(day)}`, {
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (answer.status === 401) signIn();
    const content = await answer.json();
    return answer.ok
      ? { report: content, problem: "" }
      : { report: null, problem: `That day cannot be shown: ${content.problem}` };
  } catch {
    return { report: null, problem: "That day cannot be shown: no answer came. Choose it again to retry." };
  }
}
