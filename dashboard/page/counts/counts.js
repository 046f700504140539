/** The counts of today, compared with another day: totals, chart, table and last visits. */

/** @import { DayReport, State } from "../base/messages.js" */
/** @import { Day } from "./report.js" */
/** @import { Broker } from "../base/broker.js" */
/** @import { Labels } from "../base/labels.js" */
/** @import { Clock, SiteTime } from "../base/times.js" */

import { byId, element, syncChildren, setAttribute, setShown, setText } from "../base/elements.js";
import { hourBegin, text } from "../base/language.js";
import { longDay, shortDay } from "../base/times.js";
import { Chart, chartText } from "./chart.js";
import { Comparison } from "./comparison.js";
import { coverageText } from "./coverage.js";
import { figuresOf } from "./figures.js";
import { flow, hasFlow, zonesOf } from "./flow.js";
import { insideOf } from "./occupancy.js";
import { busiest, flowReadout, hourReadout } from "./readout.js";
import { dayOf, hoursOf, inHour, shownHours } from "./report.js";
import { shapesAt } from "../live/shapes.js";
import { showTable } from "./table.js";
import { Totals } from "./totals.js";
import { Visits } from "./visits.js";

const DIRECTIONS = /** @type {("in" | "out")[]} */ (["in", "out"]);
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

  /** @param {Labels} labels @param {Broker} broker @param {Clock} clock @param {SiteTime} site @param {() => void} signIn */
  constructor(labels, broker, clock, site, signIn) {
    this.labels = labels;
    this.broker = broker;
    this.clock = clock;
    this.site = site;
    this.totals = new Totals(labels);
    this.visits = new Visits(labels, site);
    this.chart = new Chart(byId("chart"), labels, (hour) => this.#showReadout(hour));
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
    setText(byId("counts-problem"), problem && report ? text("counts-are-old", { problem }) : "");
    setText(byId("no-counts"), problem ? text("counts-unknown", { problem }) : text("no-counts"));
    if (report) this.comparison.setToday(report.day);
    this.#showCameraMenu(Object.keys(report?.cameras ?? {}).sort());
    this.#render();
  }

  /** Updates who is inside now. @param {State} state */
  showInside(state) {
    this.#state = state;
    if (state.today.report) this.#showFigures(state.today.report, this.comparison.report);
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
    setShown(byId("totals"), report !== null);
    this.visits.setEmptyText(this.#state?.today.problem ?? "");
    if (!this.#state || !report) return;
    const [today, otherReport] = [dayOf(report, this.#camera.value), this.comparison.report];
    const other = otherReport && dayOf(otherReport, this.#camera.value);
    const crossed = DIRECTIONS.flatMap((direction) => [...flow(report, this.#camera.value, direction).keys()]);
    const known = new Set([...this.#state.labels, ...today.counts.keys(), ...(other?.counts.keys() ?? []), ...crossed]);
    const labels = this.labels.sorted(known);
    this.#shown = { today, other, labels };
    this.#showHeader(report, otherReport);
    this.#showFigures(report, otherReport);
    this.#showChart(report, otherReport);
    this.visits.show(report.visits, this.#camera.value, Object.keys(report.cameras).length > 1);
  }

  /** @param {DayReport} report @param {DayReport | null} otherReport */
  #showFigures(report, otherReport) {
    const { today, other, labels } = this.#shown;
    const camera = this.#camera.value;
    const crossings = DIRECTIONS.map((key) => ({
      key,
      counts: flow(report, camera, key),
      other: otherReport && flow(otherReport, camera, key),
    }));
    const inside = this.#state && insideOf(this.#state, camera, this.broker.isReporting("counter"));
    const shown = hasFlow(report, camera) || this.#hasLines() ? crossings : [];
    this.totals.show(figuresOf(today, other, shown, inside, labels, this.#hour));
    const day = otherReport ? shortDay(otherReport.day) : "";
    setText(byId("against"), other && this.#hour !== "00" ? text("against", { day, time: hourBegin(this.#hour) }) : "");
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
    const columns = this.#isFlow && !this.#hasRoom(labels) ? [] : labels;
    showTable(shown, columns, this.labels, groups, zones, today, other, otherDay, currentHour);
    setText(byId("counts-caption"), text(this.#isFlow ? "table-flow" : "table-visits"));
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
    return DIRECTIONS.map((direction) => ({
      title: text(`column-${direction}`),
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
    setText(byId("time-zone"), this.#zone());
    const coverage = [this.#coverage(text("today"), report), other && this.#coverage(shortDay(other.day), other)];
    setText(byId("coverage"), coverage.filter(Boolean).join(" "));
  }

  /** Returns "Today: counted 6 h of 10 h.", or an empty text for full coverage. @param {string} day @param {DayReport} report */
  #coverage(day, report) {
    const coverage = coverageText(report, this.#camera.value, this.clock.now);
    return coverage && text("coverage-of-day", { day, coverage });
  }

  #zone() {
    const { now } = this.clock;
    if (!this.site.known) return text("zone-unknown");
    const [zone, offset] = [this.site.zone, this.site.offset(now)];
    return offset ? text("times-differ", { zone, offset }) : text("times", { zone });
  }

  /** Shows the hour under the pointer in words; without one, the busiest hour. @param {string | null} hour */
  #showReadout(hour) {
    const { today, other, labels } = this.#shown;
    const otherDay = this.comparison.report ? shortDay(this.comparison.report.day) : "";
    const currentHour = this.site.hour(this.clock.now);
    const report = this.#state?.today.report ?? null;
    if (this.#isFlow) {
      const [entered, left] = DIRECTIONS.map((direction) => flow(report, this.#camera.value, direction));
      const isKnown = hour === null ? today.hours.size > 0 : today.hours.has(hour);
      return setText(byId("readout"), flowReadout(hour, labels, this.labels, entered, left, isKnown));
    }
    if (hour === null) return setText(byId("readout"), busiest(today.counts));
    setText(byId("readout"), hourReadout(hour, currentHour, labels, this.labels, today, other, otherDay));
  }

  /** @param {string[]} cameras */
  #showCameraMenu(cameras) {
    setShown(byId("counted-cameras"), cameras.length > 1);
    syncChildren(this.#camera, ["", ...cameras], (name) => element("option", { value: name }, name || text("all-cameras")));
  }
}

/** @param {HTMLElement} link @param {DayReport} report @param {string} table */
function setCsvLink(link, { day }, table = "visits") {
  const isVisits = table === "visits";
  setAttribute(link, "href", `/api/counts?day=${encodeURIComponent(day)}&format=csv${isVisits ? "" : `&table=${table}`}`);
  setAttribute(link, "download", `footfall-${day}${isVisits ? "" : `-${table}`}.csv`);
  setText(link, text(`csv-${table}`, { day: shortDay(day) }));
}

/** @param {string[]} hours @param {string[]} others */
function union(hours, others) {
  return [...new Set([...hours, ...others])].sort();
}
