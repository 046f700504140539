/** What was counted: totals, chart, table and last visits of today, beside another day's. */

/** @import { DayReport, State } from "./messages.js" */
/** @import { Day } from "./report.js" */
/** @import { LabelColours } from "./colours.js" */
/** @import { Clock, SiteTime } from "./times.js" */

import { Chart, chartText } from "./chart.js";
import { Comparison } from "./comparison.js";
import { coverageText } from "./coverage.js";
import { byId, element, keyed, setAttribute, setShown, setText } from "./elements.js";
import { busiest, hourReadout, soFar } from "./readout.js";
import { dayOf, hoursOf, inHour, shownHours } from "./report.js";
import { showTable } from "./table.js";
import { longDay, shortDay } from "./times.js";
import { Totals } from "./totals.js";
import { Visits } from "./visits.js";

const LEAST_HOURS = { narrow: 8, wide: 14 };

export class Counts {
  /** @type {State | null} */
  #state = null;
  /** What stands in the chart. @type {{today: Day, other: Day | null, labels: string[]}} */
  #shown = { today: { counts: new Map(), hours: new Set() }, other: null, labels: [] };
  #hour = "";
  #camera = /** @type {HTMLSelectElement} */ (byId("counted-camera"));

  /** @param {LabelColours} colours @param {Clock} clock @param {SiteTime} site @param {() => void} signIn */
  constructor(colours, clock, site, signIn) {
    this.colours = colours;
    this.clock = clock;
    this.site = site;
    this.totals = new Totals(colours);
    this.visits = new Visits(colours, site);
    this.chart = new Chart(byId("chart"), colours, (hour) => this.#point(hour));
    this.comparison = new Comparison(() => this.#render(), signIn);
    this.#camera.addEventListener("change", () => this.#render());
  }

  /** @param {State} state */
  show(state) {
    this.#state = state;
    const { problem, report } = state.today;
    setText(
      byId("counts-problem"),
      problem && `Today's counts cannot be asked for: ${problem}${report ? ". These are the last that came." : ""}`,
    );
    setText(byId("no-counts"), problem ? `Not known: ${problem}` : "No counts yet.");
    if (report) this.comparison.follow(report.day);
    this.#offerCameras(Object.keys(report?.cameras ?? {}).sort());
    this.#render();
  }

  /** What changes with time alone: the hour that is marked as the present one. */
  tick() {
    if (this.site.hour(this.clock.now) !== this.#hour) this.#render();
  }

  #render() {
    this.#hour = this.site.hour(this.clock.now);
    const report = this.#state?.today.report ?? null;
    setShown(byId("counted"), report !== null);
    setShown(byId("not-counted"), report === null);
    this.visits.showNone(this.#state?.today.problem ?? "");
    if (!this.#state || !report) return;
    const [today, otherReport] = [dayOf(report, this.#camera.value), this.comparison.report];
    const other = otherReport && dayOf(otherReport, this.#camera.value);
    const known = new Set([...this.#state.labels, ...today.counts.keys(), ...(other?.counts.keys() ?? [])]);
    const labels = this.colours.sorted(known);
    this.#shown = { today, other, labels };
    this.#head(report, otherReport);
    this.totals.show(today, other, otherReport ? shortDay(otherReport.day) : "", labels);
    this.#chart(report, otherReport);
    this.visits.show(report.visits, this.#camera.value, Object.keys(report.cameras).length > 1);
  }

  /** @param {DayReport} report @param {DayReport | null} otherReport */
  #chart(report, otherReport) {
    const { today, other, labels } = this.#shown;
    const present = this.site.hour(this.clock.now);
    const hours = other && otherReport ? merged(hoursOf(report), hoursOf(otherReport)) : hoursOf(report);
    const days = other ? [today.counts, other.counts] : [today.counts];
    const shown = shownHours(hours, days, present, this.chart.wide ? LEAST_HOURS.wide : LEAST_HOURS.narrow);
    const stacks = labels.map((label) => ({ label, values: shown.map((hour) => today.counts.get(label)?.get(hour) ?? 0) }));
    const unknown = shown.map((hour) => hour <= present && !today.hours.has(hour));
    const data = { hours: shown, stacks, other: other && shown.map((hour) => inHour(other.counts, hour)), unknown, present };
    this.chart.show(data);
    setAttribute(byId("chart"), "aria-label", chartText(data));
    setShown(byId("no-data-key"), unknown.includes(true));
    showTable(shown, labels, today, other, otherReport ? shortDay(otherReport.day) : "", present);
    this.#point(null);
  }

  /** @param {DayReport} report @param {DayReport | null} other */
  #head(report, other) {
    setText(byId("counts-day"), longDay(report.day));
    offer(byId("csv"), report);
    setShown(byId("csv-other"), other !== null);
    if (other) offer(byId("csv-other"), other);
    setText(byId("zone"), this.#zone());
    setText(byId("coverage"), [this.#covered("Today", report), other && this.#covered(shortDay(other.day), other)].filter(Boolean).join(" "));
  }

  /** "Today: counted 6 h of 10 h."; empty for all of the day. @param {string} day @param {DayReport} report */
  #covered(day, report) {
    const text = coverageText(report, this.#camera.value, this.clock.now);
    return text && `${day}: ${text}.`;
  }

  #zone() {
    const { now } = this.clock;
    if (!this.site.known) return "The site's time zone is not known: hours are the site's, times are this device's";
    const apart = this.site.apart(now);
    return `Times are the site's (${this.site.zone})${apart && `; yours is ${apart}`}`;
  }

  /** The hour under the pointer in words; without one, how the days compare so far. @param {string | null} hour */
  #point(hour) {
    const { today, other, labels } = this.#shown;
    const otherDay = this.comparison.report ? shortDay(this.comparison.report.day) : "";
    const present = this.site.hour(this.clock.now);
    const day = other ? soFar(present, today, other, otherDay) : busiest(today.counts);
    setText(byId("readout"), hour === null ? day : hourReadout(hour, present, labels, today, other, otherDay));
  }

  /** @param {string[]} cameras */
  #offerCameras(cameras) {
    setShown(byId("counted-cameras"), cameras.length > 1);
    keyed(this.#camera, ["", ...cameras], (name) => element("option", { value: name }, name || "all cameras"));
  }
}

/** @param {HTMLElement} link @param {DayReport} report */
function offer(link, { day }) {
  setAttribute(link, "href", `/api/counts?day=${encodeURIComponent(day)}&format=csv`);
  setAttribute(link, "download", `footfall-${day}.csv`);
  setText(link, `${shortDay(day)} as CSV`);
}

/** @param {string[]} hours @param {string[]} others */
function merged(hours, others) {
  return [...new Set([...hours, ...others])].sort();
}
