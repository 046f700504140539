/** Selects a day to compare with, a week ago at first, and fetches its counts. */

/** @import { DayReport } from "../base/messages.js" */

import { byId, setAttribute, setShown, setText } from "../base/elements.js";
import { text } from "../base/language.js";
import { dayAfter } from "../base/times.js";
import { dayOf } from "./report.js";

const TIMEOUT = 10_000; // milliseconds
const WEEK = 7; // days

export class Comparison {
  /** The counts of the selected day. @type {DayReport | null} */
  report = null;
  #today = "";
  /** Days back, if a button selected the day: the selection then moves on at midnight. @type {number | null} */
  #daysBack = null;
  #requests = 0;
  #input = /** @type {HTMLInputElement} */ (byId("compare"));

  /** @param {() => void} changed @param {() => void} signIn */
  constructor(changed, signIn) {
    this.changed = changed;
    this.signIn = signIn;
    this.#input.addEventListener("change", () => this.#select(this.#input.value, null));
    byId("compare-yesterday").addEventListener("click", () => this.#select(dayAfter(this.#today, -1), 1));
    byId("compare-week").addEventListener("click", () => this.#select(dayAfter(this.#today, -WEEK), WEEK));
    byId("compare-none").addEventListener("click", () => {
      this.#clear();
      this.#input.focus(); // the button is hidden now
    });
  }

  /** @param {string} day today at the site */
  setToday(day) {
    if (day === this.#today) return;
    this.#today = day;
    this.#input.max = dayAfter(day, -1);
    if (this.#requests === 0) this.#select(dayAfter(day, -WEEK), WEEK, true);
    else if (this.#daysBack !== null) this.#select(dayAfter(day, -this.#daysBack), this.#daysBack);
  }

  /**
   * @param {string} day empty: none
   * @param {number | null} daysBack
   * @param {boolean} [isFirst] nobody selected the day: without data it is not compared
   */
  async #select(day, daysBack, isFirst = false) {
    this.#requests += 1;
    const request = this.#requests;
    this.#daysBack = daysBack;
    this.#input.value = day;
    this.#showSelection();
    this.#showStatus(day && !isFirst ? text("loading") : "");
    const { report, problem } = day ? await fetchDay(day, this.signIn) : { report: null, problem: "" };
    if (request !== this.#requests) return; // another day was selected meanwhile
    if (isFirst && !(report && dayOf(report, "").hours.size)) return this.#clear();
    this.report = report;
    this.#showStatus(problem);
    this.changed();
  }

  #clear() {
    this.#select("", null);
  }

  #showSelection() {
    const buttons = { "compare-yesterday": this.#daysBack === 1, "compare-week": this.#daysBack === WEEK };
    for (const [id, pressed] of Object.entries(buttons)) setAttribute(byId(id), "aria-pressed", String(pressed));
    setShown(byId("compare-none"), this.#input.value !== "");
  }

  /** @param {string} text */
  #showStatus(text) {
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
    const response = await fetch(`/api/counts?day=${encodeURIComponent(day)}`, {
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT),
    });
    if (response.status === 401) signIn();
    const content = await response.json();
    return response.ok
      ? { report: content, problem: "" }
      : { report: null, problem: text("loading-failed", { problem: content.problem }) };
  } catch {
    return { report: null, problem: text("loading-failed", { problem: text("no-response") }) };
  }
}
