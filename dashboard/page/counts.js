/** The counts of today, compared with another day: totals, chart, table and last visits. */

/** @import { DayReport, State } from "./messages.js" */
/** @import { Day } from "./report.js" */
/** @import { LabelColours } from "./colours.js" */
/** @import { Clock, SiteTime } from "./times.js" */

import { Chart, chartText } from "./chart.js";
import { Comparison } from "./comparison.js";
import { coverageText } from "./coverage.js";
import { byId, element, syncChildren, setAttribute, setShown, setText } from "./elements.js";
import { flow, hasFlow, zonesOf } from "./flow.js";
import { busiest, flowReadout, hourReadout, soFar } from "./readout.js";
import { dayOf, hoursOf, inHour, shownHours } from "./report.js";
import { shapesAt } from "./shapes.js";
import { showTable } from "./table.js";
import { longDay, shortDay } from "./times.js";
import { Totals } from "./totals.js";
import { Visits } from "./visits.js";

/** @type {{title: string, direction: "in" | "out"}[]} */
const DIRECTIONS = [
  { title: "In", direction: "in" },
  { title: "Out", direction: "out" },
];
const MAX_FLOW_LABELS = 3; // in the table; all are in the CSV
const MAX_ZONES = 2;
const MIN_HOURS = { narrow: 8, wide: 14 };

export class Counts {
  /** @type {State | null} */
  #state = null;
  /** The data of the chart. @type {{today: Day, other: Day | null, labels: string[]}} */
  #shown = { today: { counts: new Map(), hours: new Set() }, other: null, labels: [] };
  #hour = "";
  /** Whether the chart shows crossings, if there are lines. */
  #showsFlow = false;
  #wasWide = false;
  #camera = /** @type {HTMLSelectElement} */ (byId("counted-camera"));

  /** @param {LabelColours} colours @param {Clock} clock @param {SiteTime} site @param {() => void} signIn */
  constructor(colours, clock, site, signIn) {
    this.colours = colours;
    this.clock = clock;
    this.site = site;
    this.totals = new Totals(colours);
    this.visits = new Visits(colours, site);
    this.chart = new Chart(byId("chart"), colours, (hour) => this.#showReadout(hour));
    this.comparison = new Comparison(() => this.#render(), signIn);
    this.#camera.addEventListener("change", () => this.#render());
    new ResizeObserver(() => this.#wasWide !== this.chart.wide && this.#render()).observe(byId("chart"));
    byId("show-visits").addEventListener("click", () => this.#switch(false));
    byId("show-flow").addEventListener("click", () => this.#switch(true));
  }

  /** @param {boolean} showsFlow */
  #switch(showsFlow) {
    this.#showsFlow = showsFlow;
    this.#render();
  }

  /** @param {State} state */
  show(state) {
    this.#state = state;
    const { problem, report } = state.today;
    setText(
      byId("counts-problem"),
      problem && `Today's counts are not available: ${problem}${report ? ". The last known counts are shown." : ""}`,
    );
    setText(byId("no-counts"), problem ? `Counts unknown: ${problem}` : "No counts yet.");
    if (report) this.comparison.setToday(report.day);
    this.#showCameraMenu(Object.keys(report?.cameras ?? {}).sort());
    this.#render();
  }

  /** Updates the current hour. Called every second. */
  tick() {
    if (this.site.hour(this.clock.now) !== this.#hour) this.#render();
  }

  #render() {
    this.#wasWide = this.chart.wide;
    this.#hour = this.site.hour(this.clock.now);
    const report = this.#state?.today.report ?? null;
    setShown(byId("counted"), report !== null);
    setShown(byId("not-counted"), report === null);
    this.visits.setEmptyText(this.#state?.today.problem ?? "");
    if (!this.#state || !report) return;
    const [today, otherReport] = [dayOf(report, this.#camera.value), this.comparison.report];
    const other = otherReport && dayOf(otherReport, this.#camera.value);
    const crossed = DIRECTIONS.flatMap(({ direction }) => [...flow(report, this.#camera.value, direction).keys()]);
    const known = new Set([...this.#state.labels, ...today.counts.keys(), ...(other?.counts.keys() ?? []), ...crossed]);
    const labels = this.colours.sorted(known);
    this.#shown = { today, other, labels };
    this.#showHeader(report, otherReport);
    this.totals.show(today, other, otherReport ? shortDay(otherReport.day) : "", labels);
    this.#showChart(report, otherReport);
    this.visits.show(report.visits, this.#camera.value, Object.keys(report.cameras).length > 1);
  }

  /** @param {DayReport} report @param {DayReport | null} otherReport */
  #showChart(report, otherReport) {
    const { today, other, labels } = this.#shown;
    const groups = this.#groups(report, otherReport);
    const currentHour = this.site.hour(this.clock.now);
    const hours = other && otherReport ? union(hoursOf(report), hoursOf(otherReport)) : hoursOf(report);
    const days = groups.flatMap((group) => (group.other ? [group.counts, group.other] : [group.counts]));
    const shown = shownHours(hours, days, currentHour, this.chart.wide ? MIN_HOURS.wide : MIN_HOURS.narrow);
    const unknown = shown.map((hour) => hour <= currentHour && !today.hours.has(hour));
    const [above, below = null] = groups.map((group) => ({
      stacks: labels.map((label) => ({ label, values: shown.map((hour) => group.counts.get(label)?.get(hour) ?? 0) })),
      other: group.other && shown.map((hour) => (group.other ? inHour(group.other, hour) : 0)),
    }));
    const data = { hours: shown, above, below, unknown, currentHour };
    this.chart.show(data);
    setAttribute(byId("chart"), "aria-label", chartText(data));
    setShown(byId("no-data-key"), unknown.includes(true));
    const otherDay = otherReport ? shortDay(otherReport.day) : "";
    const zones = this.#isFlow || !this.chart.wide ? [] : zonesOf(report, this.#camera.value).slice(0, MAX_ZONES);
    showTable(shown, this.#isFlow && !this.#hasRoom(labels) ? [] : labels, groups, zones, today, other, otherDay, currentHour);
    setText(byId("counts-caption"), this.#isFlow ? "Crossings of the lines in each hour" : "Visits that began in each hour");
    this.#showReadout(null);
  }

  /** Whether there is room for columns of these labels in both directions. @param {string[]} labels */
  #hasRoom(labels) {
    return this.chart.wide && labels.length <= MAX_FLOW_LABELS;
  }

  /** Whether the chart shows crossings. */
  get #isFlow() {
    return this.#showsFlow && !byId("chart-views").hidden;
  }

  /**
   * Returns what the chart shows: visits, or who went in and who went out.
   *
   * @param {DayReport} report
   * @param {DayReport | null} other
   */
  #groups(report, other) {
    const camera = this.#camera.value;
    setShown(byId("chart-views"), hasFlow(report, camera) || hasFlow(other, camera) || this.#hasLines());
    setAttribute(byId("show-visits"), "aria-pressed", String(!this.#isFlow));
    setAttribute(byId("show-flow"), "aria-pressed", String(this.#isFlow));
    if (!this.#isFlow) return [{ title: "", counts: this.#shown.today.counts, other: this.#shown.other?.counts ?? null }];
    return DIRECTIONS.map(({ title, direction }) => ({
      title,
      counts: flow(report, camera, direction),
      other: other && flow(other, camera, direction),
    }));
  }

  /** Whether a camera that is shown has lines. */
  #hasLines() {
    const state = this.#state;
    if (!state) return false;
    const names = this.#camera.value ? [this.#camera.value] : Object.keys(state.cameras);
    return names.some((name) => shapesAt(state, name).some(({ kind }) => kind === "line"));
  }

  /** @param {DayReport} report @param {DayReport | null} other */
  #showHeader(report, other) {
    setText(byId("counts-day"), longDay(report.day));
    setCsvLink(byId("csv"), report);
    for (const [id, table, isUsed] of /** @type {[string, string, boolean][]} */ ([
      ["csv-flow", "crossings", hasFlow(report, "")],
      ["csv-zones", "zones", zonesOf(report, "").length > 0],
    ])) {
      setShown(byId(id), isUsed);
      setCsvLink(byId(id), report, table);
    }
    setShown(byId("csv-other"), other !== null);
    if (other) setCsvLink(byId("csv-other"), other);
    setText(byId("zone"), this.#zone());
    const coverage = [this.#coverage("Today", report), other && this.#coverage(shortDay(other.day), other)];
    setText(byId("coverage"), coverage.filter(Boolean).join(" "));
  }

  /** Returns "Today: counted 6 h of 10 h.", or an empty text for full coverage. @param {string} day @param {DayReport} report */
  #coverage(day, report) {
    const text = coverageText(report, this.#camera.value, this.clock.now);
    return text && `${day}: ${text}.`;
  }

  #zone() {
    const { now } = this.clock;
    if (!this.site.known) return "The site's time zone is unknown: hours are the site's, other times are this device's";
    const offset = this.site.offset(now);
    return `Times are the site's (${this.site.zone})${offset && `; yours is ${offset}`}`;
  }

  /** Shows the hour under the pointer in words; without one, a comparison of the days so far. @param {string | null} hour */
  #showReadout(hour) {
    const { today, other, labels } = this.#shown;
    const otherDay = this.comparison.report ? shortDay(this.comparison.report.day) : "";
    const currentHour = this.site.hour(this.clock.now);
    const report = this.#state?.today.report ?? null;
    if (this.#isFlow) {
      const [entered, left] = DIRECTIONS.map(({ direction }) => flow(report, this.#camera.value, direction));
      const isKnown = hour === null ? today.hours.size > 0 : today.hours.has(hour);
      return setText(byId("readout"), flowReadout(hour, labels, entered, left, isKnown));
    }
    const day = other ? soFar(currentHour, today, other, otherDay) : busiest(today.counts);
    setText(byId("readout"), hour === null ? day : hourReadout(hour, currentHour, labels, today, other, otherDay));
  }

  /** @param {string[]} cameras */
  #showCameraMenu(cameras) {
    setShown(byId("counted-cameras"), cameras.length > 1);
    syncChildren(this.#camera, ["", ...cameras], (name) => element("option", { value: name }, name || "all cameras"));
  }
}

/** @param {HTMLElement} link @param {DayReport} report @param {string} table */
function setCsvLink(link, { day }, table = "visits") {
  const isVisits = table === "visits";
  setAttribute(link, "href", `/api/counts?day=${encodeURIComponent(day)}&format=csv${isVisits ? "" : `&table=${table}`}`);
  setAttribute(link, "download", `footfall-${day}${isVisits ? "" : `-${table}`}.csv`);
  setText(link, isVisits ? `${shortDay(day)} as CSV` : table);
}

/** @param {string[]} hours @param {string[]} others */
function union(hours, others) {
  return [...new Set([...hours, ...others])].sort();
}
