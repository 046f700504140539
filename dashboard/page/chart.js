/** Visits by the hour as stacked bars, and the outline of another day's behind them; drawn by uPlot. */

/** @import { LabelColours } from "./colours.js" */

import { themeColour } from "./colours.js";
import { hourText } from "./report.js";

/**
 * `values` of each label go by `hours`, and so does `other`: all visits of the day to compare with; and `unknown`: whether there
 * is no data though the hour has begun.
 * @typedef {{label: string, values: number[]}} Stack
 * @typedef {{hours: string[], stacks: Stack[], other: number[] | null, unknown: boolean[], present: string}} ChartData
 */

const BAR = 0.62; // parts of an hour's width
const OUTLINE = 0.86;
const WIDEST = 5.5; // of a bar, in rem
const HATCH = 8; // pixels between two lines
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];

export class Chart {
  /** @type {any} uPlot has no types */
  #plot = null;
  /** @type {ChartData | null} */
  #data = null;

  /** @param {HTMLElement} host @param {LabelColours} colours @param {(hour: string | null) => void} pointed */
  constructor(host, colours, pointed) {
    this.host = host;
    this.colours = colours;
    this.pointed = pointed;
    new ResizeObserver(() => this.#draw()).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  /** Whether there is room for a long day. */
  get wide() {
    return this.host.clientWidth > 30 * rem();
  }

  /** @param {ChartData} data */
  show(data) {
    this.#data = data;
    this.#draw();
  }

  /** Draw everything again: it takes a few milliseconds, and is needed only when counts, size or colours have changed. */
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
    const most = Math.max(4, ...sums(data), ...(data.other ?? []));
    return {
      width,
      height,
      padding: [1.6 * rem(), 0.5 * rem(), 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: { x: { time: false, range: [-0.5, data.hours.length - 0.5] }, y: { range: [0, most] } },
      axes: axes(data),
      series: [{}, outline(), ...data.stacks.toReversed().map(({ label }) => this.#bars(label))],
      hooks: {
        drawClear: [(/** @type {any} */ plot) => markPresent(plot, data), (/** @type {any} */ plot) => hatch(plot, data)],
        draw: [(/** @type {any} */ plot) => writeSums(plot, data)],
        setCursor: [(/** @type {any} */ plot) => this.pointed(data.hours[plot.cursor.idx] ?? null)],
      },
    };
  }

  /** @param {string} label */
  #bars(label) {
    const fill = this.colours.fill(label);
    return { fill: () => fill, stroke: themeColour("--card"), width: 1.5, points: { show: false }, paths: bars(BAR, 0.08) };
  }
}

/** What uPlot draws, from the back to the front: places, the other day, and the stacks, each with those below it added. */
function columns(/** @type {ChartData} */ { hours, stacks, other }) {
  const below = hours.map(() => 0);
  const cumulated = stacks.map(({ values }) => values.map((value, place) => (below[place] += value) || null));
  return [hours.map((_, place) => place), other?.map((value) => value || null) ?? hours.map(() => null), ...cumulated.reverse()];
}

/** @param {ChartData} data */
function sums({ hours, stacks }) {
  return hours.map((_, place) => stacks.reduce((sum, { values }) => sum + values[place], 0));
}

function outline() {
  const stroke = themeColour("--ink-soft");
  return {
    fill: themeColour("--other-day"),
    stroke,
    width: 1.5,
    dash: [5, 4],
    points: { show: false },
    paths: bars(OUTLINE, 0.06),
  };
}

/** @param {number} share @param {number} radius */
function bars(share, radius) {
  return /** @type {any} */ (window).uPlot.paths.bars({ size: [share, WIDEST * rem() * (share / BAR)], radius });
}

/** @param {ChartData} data */
function axes({ hours }) {
  const common = { stroke: themeColour("--ink-soft"), font: font(0.8), ticks: { show: false } };
  const grid = { stroke: themeColour("--line"), width: 1 };
  const named = (/** @type {any} */ _, /** @type {number[]} */ places) => places.map((place) => hours[place] ?? "");
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

/** A band behind the hour that is now. @param {any} plot @param {ChartData} data */
function markPresent(plot, { hours, present }) {
  const place = hours.indexOf(present);
  if (place < 0) return;
  const [left, right] = [place - 0.5, place + 0.5].map((edge) => plot.valToPos(edge, "x", true));
  plot.ctx.fillStyle = themeColour("--present");
  plot.ctx.fillRect(left, plot.bbox.top, right - left, plot.bbox.height);
}

/** Slanting lines over each hour without data. @param {any} plot @param {ChartData} data */
function hatch(plot, { unknown }) {
  const { ctx: context, bbox } = plot;
  context.save();
  context.beginPath();
  unknown.forEach((is, place) => {
    const [left, right] = [place - 0.5, place + 0.5].map((edge) => plot.valToPos(edge, "x", true));
    if (is) context.rect(left, bbox.top, right - left, bbox.height);
  });
  context.clip();
  Object.assign(context, { strokeStyle: themeColour("--no-data"), lineWidth: devicePixelRatio });
  context.beginPath();
  for (let x = bbox.left - bbox.height; x < bbox.left + bbox.width; x += HATCH * devicePixelRatio) {
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
  sums(data).forEach((sum, place) => {
    if (sum) haloed(context, String(sum), plot.valToPos(place, "x", true), plot.valToPos(sum, "y", true) - 0.2 * rem());
  });
  context.restore();
}

/**
 * Readable even across the other day's outline.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} x
 * @param {number} y
 */
function haloed(context, text, x, y) {
  Object.assign(context, { strokeStyle: themeColour("--card"), lineWidth: 0.3 * rem() * devicePixelRatio, lineJoin: "round" });
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}

/** @param {number} size in rem @param {number} [weight] */
function font(size, weight = 400) {
  return `${weight} ${Math.round(size * rem())}px system-ui, sans-serif`; // uPlot takes whole pixels only
}

function rem() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize);
}

/** The chart in words, for who cannot see it. @param {ChartData} data */
export function chartText(data) {
  const unknown = data.hours.filter((_, place) => data.unknown[place]).map(hourText);
  const missing = unknown.length ? ` No data: ${unknown.join(", ")}.` : "";
  const said = sums(data).flatMap((sum, place) => (sum ? [`${hourText(data.hours[place])}: ${sum}`] : []));
  return said.length
    ? `Visits by the hour. ${said.join(", ")}.${missing} The table below has them by label.`
    : `Visits by the hour: none yet.${missing}`;
}
