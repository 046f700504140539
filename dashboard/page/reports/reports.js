/** The view of reports: a period beside the one before, its busiest times, files and paper. */

/** @import { Labels } from "../base/labels.js" */
/** @import { State } from "../base/messages.js" */
/** @import { Clock, SiteTime } from "../base/times.js" */
/** @import { Choice } from "./choice.js" */
/** @import { Row } from "./sums.js" */

import { byId, setAttribute, setShown, setText } from "../base/elements.js";
import { date, text } from "../base/language.js";
import { Controls } from "./controls.js";
import { choiceIn, fileOf, hashOf, isCurrent, requestsOf } from "./choice.js";
import { showBusiest, showFigures } from "./figures.js";
import { Loader, NotLoaded } from "./loading.js";
import { periodTitle } from "./periods.js";

const REFRESH_INTERVAL = 300; // seconds, of a period that is not over
const RETRY_INTERVAL = 10; // seconds between the starts of two attempts

export class Reports {
  #loader = new Loader();
  /** @type {State | null} */
  #state = null;
  /** What was known of the counter. @type {"" | "failed" | "answered"} */
  #counter = "";
  #isShown = false;
  /** Counts the choices: answers that come later than the next choice are dropped. */
  #number = 0;
  #loadedAt = 0;
  /** Whether the period was not over then. When it is, it is loaded once more, with its last minutes. */
  #wasCurrent = false;
  #hasFailed = false;
  /** The cameras and their shapes, as JSON: the measures to choose from depend on them. */
  #shapes = "";

  /** @param {Labels} labels @param {Clock} clock @param {SiteTime} site @param {() => void} signIn */
  constructor(labels, clock, site, signIn) {
    this.labels = labels;
    this.clock = clock;
    this.site = site;
    this.signIn = signIn;
    this.controls = new Controls((choice) => location.assign(`#${hashOf(choice)}`));
    byId("reports-retry").addEventListener("click", () => this.#load());
    byId("reports-print").addEventListener("click", () => print());
    addEventListener("beforeprint", () => this.#preparePaper());
  }

  /** @param {State} state */
  show(state) {
    this.#state = state;
    const { problem, report } = state.today;
    const [before, counter] = [this.#counter, problem ? "failed" : report ? "answered" : ""];
    const isBack = counter !== before && (counter === "answered" || before === "");
    this.#counter = counter;
    const shapes = JSON.stringify([Object.keys(state.cameras), state.setups, state.setup_defaults]);
    if (isBack || (shapes !== this.#shapes && byId("reports-figures").hidden === false)) this.#load();
    this.#shapes = shapes;
  }

  /** Called when the address has changed. @param {boolean} isShown */
  onView(isShown) {
    this.#isShown = isShown;
    if (isShown) this.#load();
  }

  /** Updates a period that was not over when it was loaded, and tries again what has failed. Called every second. */
  tick() {
    const age = this.clock.now - this.#loadedAt;
    const isDue = this.#hasFailed ? age > RETRY_INTERVAL : this.#wasCurrent && age > REFRESH_INTERVAL;
    if (this.#isShown && this.#loadedAt && isDue) this.#load(true);
  }

  /** The site's time, such as 2026-11-23T14:05. */
  get #now() {
    return this.site.local(this.clock.now);
  }

  get #choice() {
    return choiceIn(location.hash, this.#now.slice(0, 10));
  }

  /** @param {boolean} [isUpdate] whether the same is shown already */
  async #load(isUpdate = false) {
    if (!this.#isShown || !this.#state || !this.#counter) return; // the site's time zone is not known yet
    const [choice, now, number] = [this.#choice, this.#now, (this.#number += 1)];
    this.#loader.restart();
    this.#loadedAt = this.clock.now;
    this.#wasCurrent = isCurrent(choice, now);
    this.#hasFailed = false;
    this.controls.show(choice, now, this.#state);
    if (!isUpdate) this.#showStatus(text("loading"), false);
    try {
      await this.#fetch(choice, now, () => number === this.#number);
    } catch (error) {
      if (number !== this.#number) return;
      if (!(error instanceof NotLoaded)) throw error;
      this.#fail(error);
    }
  }

  /** @param {Choice} choice @param {string} now @param {() => boolean} isWanted whether it is still the choice */
  async #fetch(choice, now, isWanted) {
    const wanted = requestsOf(choice, now);
    const hasLines = this.controls.has("in");
    const [steps, sum, crossings] = await Promise.all([
      this.#loader.load(wanted.steps),
      this.#loader.load(wanted.sum),
      hasLines ? this.#loader.load(wanted.crossings) : { rows: [] },
    ]);
    if (!isWanted()) return;
    const current = isCurrent(choice, now) ? this.site.minutes(this.clock.now) : "";
    this.controls.setOpeningHours(steps.hasOpeningHours);
    const problem = showFigures(
      choice,
      { steps: steps.rows, sum: sum.rows, crossings: crossings.rows },
      this.labels,
      this.clock.now,
      current,
    );
    this.#showStatus(problem, true);
    this.#showLinks(choice);
    setShown(byId("reports-figures"), steps.rows.length > 0);
    const busiest = wanted.busiest ? (await this.#loader.load(wanted.busiest)).rows : [];
    if (isWanted()) showBusiest(choice, busiest, wanted.busiestUntil, this.site);
  }

  /** @param {NotLoaded} error */
  #fail({ status, problem }) {
    if (status === 401) return this.signIn();
    for (const id of ["reports-figures", "reports-busiest", "reports-files"]) setShown(byId(id), false);
    const known = status === 503 ? text("reports-no-counter", { problem }) : text("reports-no-server");
    this.#showStatus(status === 400 ? text("reports-refused", { problem }) : known, true);
    setShown(byId("reports-retry"), true);
    this.#hasFailed = status !== 400;
  }

  /** @param {string} status @param {boolean} isDone */
  #showStatus(status, isDone) {
    setText(byId("reports-status"), status);
    setShown(byId("reports-retry"), false);
    setAttribute(byId("reports-figures"), "aria-busy", isDone ? null : "true");
  }

  /** @param {Choice} choice */
  #showLinks(choice) {
    for (const format of /** @type {("csv" | "json")[]} */ (["csv", "json"])) {
      const { href, name } = fileOf(choice, format);
      setAttribute(byId(`reports-${format}`), "href", href);
      setAttribute(byId(`reports-${format}`), "download", name);
    }
    setShown(byId("reports-files"), true);
  }

  /** Opens the table for paper, and writes the footer. */
  #preparePaper() {
    if (!this.#isShown) return;
    const numbers = /** @type {HTMLDetailsElement} */ (byId("reports-numbers"));
    const wasOpen = numbers.open;
    numbers.open = true;
    addEventListener("afterprint", () => (numbers.open = wasOpen), { once: true });
    const time = date(Date.parse(`${this.#now}Z`) / 1000, { dateStyle: "medium", timeStyle: "short" });
    const site = byId("site-title").textContent || text("title");
    setText(byId("reports-paper"), text("reports-paper", { site, period: periodTitle(this.#choice.period), time }));
  }
}
