/** Shows the figures of a report: sums, chart, table, busiest times. */

/** @import { SiteTime } from "../base/times.js" */
/** @import { Choice } from "./choice.js" */
/** @import { Column } from "./bars.js" */
/** @import { Amount, Coverage, Row, Step } from "./sums.js" */
/** @import { Tile } from "./table.js" */

import { byId, element, setAttribute, setShown, setText } from "../base/elements.js";
import { Labels } from "../base/labels.js";
import { listed, number, percent, text } from "../base/language.js";
import { duration } from "../base/times.js";
import { showBars } from "./bars.js";
import { peak, weekOf } from "./busiest.js";
import { measureName } from "./controls.js";
import { hourOfWeek, showHeatMap } from "./heat-map.js";
import { busiestDays, periodBefore, periodName, periodTitle, rangeText, stepName, stepTick, unitOf } from "./periods.js";
import { inDirection, isDemo, isFull, keysOf, meanShare, realRows, stepsOf } from "./sums.js";
import { showTable, showTiles, valueOf } from "./table.js";

const MAX_MEAN_DIGITS = 10; // a mean below this has one digit after the point

const MAX_HOURS = 48; // longer times are in whole hours, not in days
/** Zones have colours, too. */
const zoneLabels = new Labels();

/**
 * Returns why there is nothing to see; empty if there is.
 *
 * @param {Choice} choice
 * @param {{steps: Row[], sum: Row[], crossings: Row[]}} answers
 * @param {Labels} labels
 * @param {number} now Unix seconds
 * @param {string} until the site's time, if the period is not over
 */
export function showFigures(choice, answers, labels, now, until) {
  const { measure, camera, period } = choice;
  const real = realRows(answers.steps, camera);
  const steps = stepsOf(real, measure);
  const sums = stepsOf(directed(realRows(answers.sum, camera), measure), measure);
  const sum = sums[0] ?? null;
  const colours = measure === "zones" ? zoneLabels : labels;
  const keys = colours.sorted(keysOf([...steps, ...sums]));
  const columns = steps.map((step) => columnOf(step, choice, keys, colours, now));
  const before = periodName(periodBefore(period));
  setText(byId("reports-beside"), besideText(period, until));
  showDemo(answers.steps, real);
  showTiles(byId("reports-tiles"), sum ? tilesOf(choice, sum, answers, keys, colours) : [], colours, before, writer(choice));
  setText(byId("reports-coverage"), sum ? coverageText(period, before, sum) : "");
  showBars(byId("reports-chart"), columns, keys, colours, writer(choice), measure === "zones");
  setAttribute(byId("reports-chart"), "aria-label", chartText(choice, columns));
  showKeys(keys, colours, before, columns);
  setText(byId("reports-caption"), text("reports-caption", { measure: measureName(measure), period: periodTitle(period) }));
  const first = text(unitOf(period) === "day" ? "hour-column" : unitOf(period) === "year" ? "reports-month" : "reports-day");
  const name = (/** @type {string} */ key) => colours.name(key);
  showTable(byId("reports-table"), columns, { keys, name, sum: text("all"), before, first, write: writer(choice) });
  if (!steps.length) return text(choice.open ? "reports-closed" : "reports-empty");
  return steps.every(({ now, before: old }) => now.sum === null && old.sum === null) ? text("reports-empty") : "";
}

/** @param {Choice} choice @param {Row[]} rows by hour of the week @param {string} until the end of their range @param {SiteTime} site */
export function showBusiest(choice, rows, until, site) {
  const { measure, camera, period } = choice;
  const [first, last] = busiestDays(period);
  const week = weekOf(realRows(rows, camera), measure, first, until, site);
  const busiest = peak(week);
  const write = measure === "zones" ? writeTime : writeMean;
  setText(
    byId("reports-week-caption"),
    text("reports-busiest-in", { measure: measureName(measure), days: rangeText(first, last) }),
  );
  const words = busiest
    ? text("reports-peak", { hour: hourOfWeek(busiest.key), number: write(busiest.mean) })
    : text("reports-peak-none");
  setText(byId("reports-peak"), words);
  byId("reports-week").classList.toggle("times", measure === "zones");
  showHeatMap(byId("reports-week"), byId("reports-levels"), week, write);
  setShown(byId("reports-busiest"), week.size > 0);
}

/** Returns how numbers are written. @param {Choice} choice @returns {(value: number) => string} */
function writer({ measure }) {
  return measure === "zones" ? writeTime : (value) => number(value);
}

/** @param {number} seconds */
function writeTime(seconds) {
  if (seconds === 0) return number(0);
  return seconds < 3600 * MAX_HOURS ? duration(seconds) : text("hours", { hours: Math.round(seconds / 3600) });
}

/** @param {number} mean */
function writeMean(mean) {
  return number(mean, { maximumFractionDigits: mean < MAX_MEAN_DIGITS ? 1 : 0 });
}

/** @param {Row[]} rows @param {string} measure */
function directed(rows, measure) {
  return measure === "in" || measure === "out" ? inDirection(rows, measure) : rows;
}

/** @param {string} period @param {string} until */
function besideText(period, until) {
  const before = periodTitle(periodBefore(period));
  return until ? text("reports-so-far", { time: until, period: before }) : text("reports-beside", { period: before });
}

/** @param {Row[]} rows @param {Row[]} real those that are added up */
function showDemo(rows, real) {
  const cameras = [...new Set(rows.filter(({ demo }) => demo).map(({ camera }) => camera))];
  const apart = cameras.length ? text("demo-counted", { cameras: listed(cameras) }) : "";
  setText(byId("reports-demo"), isDemo(real) ? text("reports-demo") : apart);
  setShown(byId("reports-demo"), cameras.length > 0);
}

/**
 * @param {Choice} choice
 * @param {Step} sum of the period
 * @param {{crossings: Row[]}} answers
 * @param {string[]} keys
 * @param {Labels} colours
 * @returns {Tile[]}
 */
function tilesOf({ measure, camera }, { now, before }, { crossings }, keys, colours) {
  const all = { key: "", now: now.sum, before: before.sum };
  const each = keys.map((key) => ({ name: colours.name(key), key, now: valueOf(now, key), before: valueOf(before, key) }));
  if (measure === "zones") return each.map((tile) => ({ ...tile, note: stayText(now, tile.key) }));
  const ways = measure === "visits" ? ["in", "out"] : [measure];
  const found = ways.flatMap((way) => {
    const [step] = stepsOf(inDirection(realRows(crossings, camera), way), "in");
    return step ? [{ name: text(`reports-${way}`), key: "", now: step.now.sum, before: step.before.sum }] : [];
  });
  return measure === "visits" ? [{ name: text("reports-visitors"), ...all }, ...found, ...each] : [...found, ...each];
}

/** @param {Amount} amount @param {string} zone */
function stayText({ counts, visits }, zone) {
  const number = visits.get(zone) ?? 0;
  return number ? text("reports-stays", { visits: number, mean: writeTime((counts.get(zone) ?? 0) / number) }) : "";
}

/** @param {string} period @param {string} before @param {Step} sum */
function coverageText(period, before, sum) {
  const texts = [partText(periodName(period), sum.now.coverage), partText(before, sum.before.coverage)];
  return texts.filter(Boolean).join(" ");
}

/** Says how much of the time was counted, if not all. @param {string} period @param {Coverage} coverage */
function partText(period, coverage) {
  if (isFull(coverage)) return "";
  if (coverage.size === 1) return text("reports-counted", { period, share: percent(meanShare(coverage) ?? 0) });
  const cameras = [...coverage].map(([name, share]) => `${name} ${share === null ? text("no-data") : percent(share)}`);
  return text("reports-counted-each", { period, cameras: listed(cameras) });
}

/**
 * @param {Step} step
 * @param {Choice} choice
 * @param {string[]} keys
 * @param {Labels} colours
 * @param {number} now
 * @returns {Column}
 */
function columnOf(step, choice, keys, colours, now) {
  const unit = unitOf(choice.period) ?? "day";
  const [write, name, at] = [writer(choice), stepName(unit, step.period), 1000 * now];
  const hasBegun = Date.parse(step.from) <= at;
  const isCurrent = hasBegun && Date.parse(step.to) > at;
  const isUnknown = hasBegun && step.now.sum === null;
  const { coverage, counts, sum } = step.now;
  const parts = keys.filter((key) => counts.get(key)).map((key) => `${colours.name(key)} ${write(counts.get(key) ?? 0)}`);
  const partly =
    isCurrent || isFull(coverage) ? [] : [text("reports-step-counted", { share: percent(meanShare(coverage) ?? 0) })];
  const old =
    step.before.sum === null
      ? []
      : [text("reports-was", { period: periodName(periodBefore(choice.period)), number: write(step.before.sum) })];
  const shown = sum === null ? (hasBegun ? text("no-data") : "–") : write(sum);
  const title = [text("reports-step", { step: name, number: shown }), ...parts, ...partly, ...old].join("; ");
  return { step, name, tick: stepTick(unit, step.period), title, isUnknown, isCurrent };
}

/** Describes the chart for screen readers. @param {Choice} choice @param {Column[]} columns */
function chartText(choice, columns) {
  const write = writer(choice);
  const counted = columns
    .filter(({ step }) => step.now.sum)
    .map(({ step, name }) => text("reports-step", { step: name, number: write(step.now.sum ?? 0) }));
  const without = columns.filter(({ isUnknown }) => isUnknown).map(({ name }) => name);
  return [
    text("reports-chart", { measure: measureName(choice.measure), period: periodTitle(choice.period) }),
    counted.join("; "),
    without.length ? text("reports-chart-without", { steps: without.join(", ") }) : "",
    text("reports-chart-table"),
  ]
    .filter(Boolean)
    .join(" ");
}

/** @param {string[]} keys @param {Labels} colours @param {string} before @param {Column[]} columns */
function showKeys(keys, colours, before, columns) {
  const each = keys.map((key) => item(`swatch ${colours.classes(key)}`, colours.name(key)));
  const was = columns.some(({ step }) => step.before.sum) ? [item("key was", before)] : [];
  const unknown = columns.some(({ isUnknown }) => isUnknown) ? [item("key no-data", text("no-data"))] : [];
  byId("reports-keys").replaceChildren(...each, ...was, ...unknown);
}

/** @param {string} classes @param {string} name */
function item(classes, name) {
  return element("li", {}, element("span", { class: classes }), name);
}
