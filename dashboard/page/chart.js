/** Visits per hour as stacked bars, with an outline of another day behind them, drawn by uPlot. */

/** @import { LabelColours } from "./colours.js" */

import { themeColour } from "./colours.js";
import { hourText } from "./report.js";

/**
 * `values`, `other` and `unknown` have one item per hour: visits of a label, all visits of the other day, and whether an hour
 * that has begun has no data.
 * @typedef {{label: string, values: number[]}} Stack
 * @typedef {{hours: string[], stacks: Stack[], other: number[] | null, unknown: boolean[], currentHour: string}} ChartData
 */

const BAR_WIDTH = 0.62; // share of an hour's width
const OUTLINE_WIDTH = 0.86;
const MAX_BAR_WIDTH = 5.5; // rem
const HATCH_SPACING = 8; // pixels
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];

export class Chart {
  /** @type {any} because uPlot has no types */
  #plot = null;
  /** @type {ChartData | null} */
  #data = null;

  /** @param {HTMLElement} host @param {LabelColours} colours @param {(hour: string | null) => void} onPointer */
  constructor(host, colours, onPointer) {
    this.host = host;
    this.colours = colours;
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
    const maximum = Math.max(4, ...sums(data), ...(data.other ?? []));
    return {
      width,
      height,
      padding: [1.6 * rem(), 0.5 * rem(), 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: { x: { time: false, range: [-0.5, data.hours.length - 0.5] }, y: { range: [0, maximum] } },
      axes: axes(data),
      series: [{}, outline(), ...data.stacks.toReversed().map(({ label }) => this.#bars(label))],
      hooks: {
        drawClear: [(/** @type {any} */ plot) => markCurrentHour(plot, data), (/** @type {any} */ plot) => hatch(plot, data)],
        draw: [(/** @type {any} */ plot) => writeSums(plot, data)],
        setCursor: [(/** @type {any} */ plot) => this.onPointer(data.hours[plot.cursor.idx] ?? null)],
      },
    };
  }

  /** @param {string} label */
  #bars(label) {
    const fill = this.colours.fill(label);
    return { fill: () => fill, stroke: themeColour("--card"), width: 1.5, points: { show: false }, paths: bars(BAR_WIDTH, 0.08) };
  }
}

/** Returns uPlot's data, from back to front: positions, the other day, and the stacks, each added to those below it. */
function columns(/** @type {ChartData} */ { hours, stacks, other }) {
  const below = hours.map(() => 0);
  const cumulated = stacks.map(({ values }) => values.map((value, index) => (below[index] += value) || null));
  return [hours.map((_, index) => index), other?.map((value) => value || null) ?? hours.map(() => null), ...cumulated.reverse()];
}

/** @param {ChartData} data */
function sums({ hours, stacks }) {
  return hours.map((_, index) => stacks.reduce((sum, { values }) => sum + values[index], 0));
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
  const named = (/** @type {any} */ _, /** @type {number[]} */ indexes) => indexes.map((index) => hours[index] ?? "");
  return [
    {
      ...common,
      grid: { show: false },
      incrs: [1, 2, 3, 4],
      space: 2 * rem(),
      size: 1.7 * rem(),
      gap: 0.3 * rem(),
      values: named,
    },
    { ...common, grid, incrs: STEPS, space: 2.8 * rem(), size: 2.4 * rem(), gap: 0.3 * rem() },
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
function writeSums(plot, data) {
  const { ctx: context } = plot;
  context.save();
  Object.assign(context, {
    font: font(0.9 * devicePixelRatio, 600),
    fillStyle: themeColour("--ink"),
    textAlign: "center",
    textBaseline: "bottom",
  });
  sums(data).forEach((sum, index) => {
    if (sum) drawHaloed(context, String(sum), plot.valToPos(index, "x", true), plot.valToPos(sum, "y", true) - 0.2 * rem());
  });
  context.restore();
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
export function chartText(data) {
  const unknown = data.hours.filter((_, index) => data.unknown[index]).map(hourText);
  const missing = unknown.length ? ` No data: ${unknown.join(", ")}.` : "";
  const parts = sums(data).flatMap((sum, index) => (sum ? [`${hourText(data.hours[index])}: ${sum}`] : []));
  return parts.length
    ? `Visits per hour. ${parts.join(", ")}.${missing} The table below lists them by label.`
    : `Visits per hour: none yet.${missing}`;
}
