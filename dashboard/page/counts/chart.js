/**
 * Counts per hour as stacked bars, above and below the axis, with an outline of another day behind them, drawn by uPlot. The bars of
 * reports are elements instead, because they must fit paper; they have one direction and no readout under the pointer.
 */

/** @import { Labels } from "../base/labels.js" */

import { themeColour } from "../base/canvas-colours.js";
import { hourName, hourText, listed, number, text } from "../base/language.js";

/**
 * `values`, `other` and `unknown` have one item per hour: the counts of a label, all counts of the other day, and whether an hour
 * that has begun has no data. `below` is null if nothing is drawn below the axis.
 * @typedef {{label: string, values: number[]}} Stack
 * @typedef {{stacks: Stack[], other: number[] | null}} Bars
 * @typedef {{hours: string[], above: Bars, below: Bars | null, unknown: boolean[], currentHour: string}} ChartData
 */

const BAR_WIDTH = 0.62; // share of an hour's width
const OUTLINE_WIDTH = 0.86;
const MAX_BAR_WIDTH = 5.5; // rem
const ROOM = 1.3; // below the longest bar under the axis, for its sum
const HATCH_SPACING = 8; // pixels
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];

export class Chart {
  /** @type {any} because uPlot has no types */
  #plot = null;
  /** @type {ChartData | null} */
  #data = null;

  /** @param {HTMLElement} host @param {Labels} labels @param {(hour: string | null) => void} onPointer */
  constructor(host, labels, onPointer) {
    this.host = host;
    this.labels = labels;
    this.onPointer = onPointer;
    new ResizeObserver(() => this.#draw()).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  /** Whether there is room for many hours. */
  get wide() {
    return this.host.clientWidth > 30 * rem();
  }

  /** @param {ChartData} data */
  show(data) {
    this.#data = data;
    this.#draw();
  }

  /** Draws the whole chart again: this takes a few milliseconds, and only counts, size and colours require it. */
  #draw() {
    const { clientWidth: width, clientHeight: height } = this.host;
    this.#plot?.destroy();
    this.#plot = null;
    if (!this.#data || width === 0 || height === 0) return;
    const { uPlot } = /** @type {any} */ (window);
    this.#plot = new uPlot(this.#options(this.#data, width, height), columns(this.#data), this.host);
  }

  /** @param {ChartData} data @param {number} width @param {number} height */
  #options(data, width, height) {
    const [maximum, minimum] = [limit(data.above), data.below ? -ROOM * limit(data.below) : 0];
    const below = data.below?.stacks.toReversed() ?? [];
    return {
      width,
      height,
      padding: [1.6 * rem(), 0.5 * rem(), 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: { x: { time: false, range: [-0.5, data.hours.length - 0.5] }, y: { range: [minimum, maximum] } },
      axes: axes(data),
      series: [{}, outline(), outline(), ...[...data.above.stacks.toReversed(), ...below].map(({ label }) => this.#bars(label))],
      hooks: {
        drawClear: [(/** @type {any} */ plot) => markCurrentHour(plot, data), (/** @type {any} */ plot) => hatch(plot, data)],
        draw: [(/** @type {any} */ plot) => writeSums(plot, data)],
        setCursor: [(/** @type {any} */ plot) => this.onPointer(data.hours[plot.cursor.idx] ?? null)],
      },
    };
  }

  /** @param {string} label */
  #bars(label) {
    const fill = this.labels.fill(label);
    return { fill: () => fill, stroke: themeColour("--card"), width: 1.5, points: { show: false }, paths: bars(BAR_WIDTH, 0.08) };
  }
}

/** Returns uPlot's data, from back to front: positions, the other day, and the stacks, each added to those under it. */
function columns(/** @type {ChartData} */ { hours, above, below }) {
  const other = (/** @type {Bars | null} */ bars, /** @type {number} */ sign) =>
    hours.map((_, index) => sign * (bars?.other?.[index] ?? 0) || null);
  return [
    hours.map((_, index) => index),
    other(above, 1),
    other(below, -1),
    ...cumulated(above, 1),
    ...(below ? cumulated(below, -1) : []),
  ];
}

/** @param {Bars} bars @param {number} sign @returns {(number | null)[][]} the longest bars first */
function cumulated({ stacks }, sign) {
  const sums = stacks.at(0)?.values.map(() => 0) ?? [];
  return stacks.map(({ values }) => values.map((value, index) => sign * (sums[index] += value) || null)).reverse();
}

/** @param {Bars} bars */
function limit(bars) {
  return Math.max(4, ...sums(bars), ...(bars.other ?? []));
}

/** @param {Bars} bars @returns {number[]} the sum of each hour */
function sums({ stacks }) {
  return stacks.at(0)?.values.map((_, index) => stacks.reduce((sum, { values }) => sum + values[index], 0)) ?? [];
}

function outline() {
  const stroke = themeColour("--ink-soft");
  return {
    fill: themeColour("--other-day"),
    stroke,
    width: 1.5,
    dash: [5, 4],
    points: { show: false },
    paths: bars(OUTLINE_WIDTH, 0.06),
  };
}

/** @param {number} share @param {number} radius */
function bars(share, radius) {
  return /** @type {any} */ (window).uPlot.paths.bars({ size: [share, MAX_BAR_WIDTH * rem() * (share / BAR_WIDTH)], radius });
}

/** @param {ChartData} data */
function axes({ hours }) {
  const common = { stroke: themeColour("--ink-soft"), font: font(0.8), ticks: { show: false } };
  const grid = { stroke: themeColour("--line"), width: 1 };
  const sizes = (/** @type {any} */ _, /** @type {number[]} */ numbers) => numbers.map((one) => number(Math.abs(one)));
  const named = (/** @type {any} */ _, /** @type {number[]} */ indexes) =>
    indexes.map((index) => (index in hours ? hourName(hours[index]) : ""));
  return [
    {
      ...common,
      grid: { show: false },
      incrs: [1, 2, 3, 4],
      space: (1 + 0.5 * Math.max(0, ...hours.map((hour) => hourName(hour).length))) * rem(),
      size: 1.7 * rem(),
      gap: 0.3 * rem(),
      values: named,
    },
    { ...common, grid, incrs: STEPS, space: 2.8 * rem(), size: 2.4 * rem(), gap: 0.3 * rem(), values: sizes },
  ];
}

/** Draws a band behind the current hour. @param {any} plot @param {ChartData} data */
function markCurrentHour(plot, { hours, currentHour }) {
  const index = hours.indexOf(currentHour);
  if (index < 0) return;
  const [left, right] = [index - 0.5, index + 0.5].map((edge) => plot.valToPos(edge, "x", true));
  plot.ctx.fillStyle = themeColour("--current-hour");
  plot.ctx.fillRect(left, plot.bbox.top, right - left, plot.bbox.height);
}

/** Draws slanted lines over each hour without data. @param {any} plot @param {ChartData} data */
function hatch(plot, { unknown }) {
  const { ctx: context, bbox } = plot;
  context.save();
  context.beginPath();
  unknown.forEach((isUnknown, index) => {
    const [left, right] = [index - 0.5, index + 0.5].map((edge) => plot.valToPos(edge, "x", true));
    if (isUnknown) context.rect(left, bbox.top, right - left, bbox.height);
  });
  context.clip();
  Object.assign(context, { strokeStyle: themeColour("--no-data"), lineWidth: devicePixelRatio });
  context.beginPath();
  for (let x = bbox.left - bbox.height; x < bbox.left + bbox.width; x += HATCH_SPACING * devicePixelRatio) {
    context.moveTo(x, bbox.top + bbox.height);
    context.lineTo(x + bbox.height, bbox.top);
  }
  context.stroke();
  context.restore();
}

/** @param {any} plot @param {ChartData} data */
function writeSums(plot, { above, below }) {
  const { ctx: context } = plot;
  context.save();
  Object.assign(context, { font: font(0.9 * devicePixelRatio, 600), fillStyle: themeColour("--ink"), textAlign: "center" });
  for (const [bars, sign, textBaseline] of /** @type {[Bars | null, number, string][]} */ ([
    [above, 1, "bottom"],
    [below, -1, "top"],
  ])) {
    Object.assign(context, { textBaseline });
    for (const [index, sum] of (bars ? sums(bars) : []).entries()) {
      const y = plot.valToPos(sign * sum, "y", true) - sign * 0.2 * rem();
      if (sum) drawHaloed(context, number(sum), plot.valToPos(index, "x", true), y);
    }
  }
  if (below) writeDirections(plot);
  context.restore();
}

/** Says what is above and below the axis. @param {any} plot */
function writeDirections({ ctx: context, bbox: { left, top, width, height } }) {
  Object.assign(context, {
    font: font(0.8 * devicePixelRatio),
    fillStyle: themeColour("--ink-soft"),
    textAlign: "right",
    textBaseline: "top",
  });
  drawHaloed(context, text("in"), left + width, top);
  context.textBaseline = "bottom";
  drawHaloed(context, text("out"), left + width, top + height);
}

/**
 * Draws text with a halo, which keeps it readable across the other day's outline.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} x
 * @param {number} y
 */
function drawHaloed(context, text, x, y) {
  Object.assign(context, { strokeStyle: themeColour("--card"), lineWidth: 0.3 * rem() * devicePixelRatio, lineJoin: "round" });
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}

/** @param {number} size in rem @param {number} [weight] */
function font(size, weight = 400) {
  return `${weight} ${Math.round(size * rem())}px system-ui, sans-serif`; // uPlot accepts only whole pixels
}

function rem() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize);
}

/** Describes the chart for screen readers. @param {ChartData} data */
export function chartText({ hours, above, below, unknown }) {
  const without = hours.filter((_, index) => unknown[index]).map(hourText);
  const missing = without.length ? text("chart-missing", { hours: listed(without) }) : "";
  const [up, down] = [sums(above), below ? sums(below) : []];
  const parts = hours.flatMap((hour, index) => {
    if (!(up[index] || down[index])) return [];
    const counts = below
      ? `${text("crossed-in", { number: up[index] })}, ${text("crossed-out", { number: down[index] })}`
      : number(up[index]);
    return [text("readout", { time: hourText(hour), counts })];
  });
  const subject = text(below ? "chart-flow" : "chart-visits");
  const all = parts.length ? text("chart-counts", { subject, counts: parts.join("; ") }) : text("chart-empty", { subject });
  return [all, missing].filter(Boolean).join(" ");
}
