/** The site's times, in any time zone of the viewer, and a day's report: sums, hours, coverage and texts. */

import assert from "node:assert/strict";
import { test } from "node:test";

process.env.TZ = "America/New_York"; // the viewer's

import "./catalogue.mjs";

const page = "../../../dashboard/page";
const { SiteTime, age, dayAfter, duration, longDay, shortDay } = await import(`${page}/base/times.js`);
const { beforeHour, coverage, dayOf, grandTotal, hoursOf, inHour, shownHours, total } = await import(`${page}/counts/report.js`);
const { coverageText } = await import(`${page}/counts/coverage.js`);
const { busiest, hourReadout } = await import(`${page}/counts/readout.js`);
const { changeText, figuresOf } = await import(`${page}/counts/figures.js`);
const { Labels } = await import(`${page}/base/labels.js`);
const { demoText } = await import(`${page}/counts/demo.js`);

const LABELS = new Labels();
const hourly = (report, camera) => dayOf(report, camera).counts;
const at = (text) => Date.parse(text) / 1000;
const spaces = (text) => text.replaceAll("\u00a0", " ");

function site(zone) {
  const one = new SiteTime();
  one.setZone(zone);
  return one;
}

const UNKNOWN = ["", "Nowhere/Land", "<script>", "NOON-3"]; // zones that the browser does not know

for (const [zone, time, seconds, yours, apart] of [
  ["Europe/Berlin", "2026-07-01T12:00:09Z", "14:00:09", "08:00 your time", "6 h behind"],
  ["Europe/Berlin", "2026-12-01T23:30:00Z", "00:30:00", "18:30 your time", "6 h behind"],
  ["Europe/Berlin", "2026-10-25T00:30:00Z", "02:30:00", "20:30 your time", "6 h behind"],
  ["Europe/Berlin", "2026-10-25T01:30:00Z", "02:30:00", "21:30 your time", "5 h behind"], // clocks were set back
  ["Asia/Kathmandu", "2026-07-01T12:00:00Z", "17:45:00", "08:00 your time", "9 h 45 min behind"],
  ["Pacific/Chatham", "2026-12-01T12:00:00Z", "01:45:00", "07:00 your time", "18 h 45 min behind"],
  ["Pacific/Honolulu", "2026-07-01T12:00:00Z", "02:00:00", "08:00 your time", "6 h ahead"],
  ["America/New_York", "2026-07-01T12:00:00Z", "08:00:00", "", ""],
  ["UTC", "2026-07-01T00:00:00.9Z", "00:00:00", "20:00 your time", "4 h behind"],
  ...UNKNOWN.map((zone) => [zone, "2026-07-01T12:00:00Z", "08:00:00", "", ""]),
]) {
  test(`${time} in ${zone}`, () => {
    const [one, minutes] = [site(zone), seconds.slice(0, 5)];
    assert.deepEqual([one.known, one.zone], UNKNOWN.includes(zone) ? [false, ""] : [true, zone]);
    assert.deepEqual([one.seconds(at(time)), one.minutes(at(time)), one.hour(at(time))], [seconds, minutes, seconds.slice(0, 2)]);
    assert.equal(one.withViewerTime(at(time)), yours ? `${minutes} · ${yours}` : minutes);
    assert.equal(spaces(one.offset(at(time))), apart);
  });
}

const since = (time) => site("Europe/Berlin").since(at(time), at("2026-11-23T12:00:00Z"));

for (const [name, say, cases] of [
  ["a time on another day", since, [
    ["2026-11-23T01:02:00Z", "02:02"], ["2026-11-22T22:59:00Z", "Sun 22 Nov 23:59"], ["2026-11-22T23:01:00Z", "00:01"],
  ]],
  ["the day before", (day) => dayAfter(day, -1), [["2026-03-01", "2026-02-28"]]],
  ["a week before", (day) => dayAfter(day, -7), [["2026-10-25", "2026-10-18"]]],
  ["the day after", (day) => dayAfter(day, 1), [["2026-12-31", "2027-01-01"]]],
  ["the long form of a day", longDay, [["2026-11-23", "Monday 23 November"]]],
  ["the short form of a day", shortDay, [["2026-11-23", "Mon 23 Nov"]]],
  ["a duration", duration, [
    [0, "0.0 s"], [-1, "0.0 s"], [3.14, "3.1 s"], [9.94, "9.9 s"], [9.96, "10 s"], [59.6, "1 min"], [125, "2 min 5 s"],
    [3600, "1 h"], [12_000, "3 h 20 min"], [86400, "24 h"], [200_000, "2 days"],
  ]],
  ["the age of a picture", age, [[0.034, "0.03 s"], [-2, "0.00 s"], [0.994, "0.99 s"], [1.2, "1.2 s"]]],
]) {
  test(`in words: ${name}`, () => cases.forEach(([given, text]) => assert.equal(spaces(say(given)), text)));
}

const HOURS = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, "0"));
const counted = (...hours) => Object.fromEntries(HOURS.map((hour) => [hour, hours.includes(hour) ? 1 : null]));
const [EVERY, NONE, MORNING] = [counted(...HOURS), counted(), { ...counted("08", "09", "10"), 11: 0.5 }];

function camera(visits, hours = EVERY, demo = false) {
  return { visits, counted: hours, totals: {}, demo };
}

function report(cameras, values = {}) {
  const [begins_at, ends_at] = [at("2026-11-22T23:00:00Z"), at("2026-11-23T23:00:00Z")];
  return { day: "2026-11-23", begins_at, ends_at, zone: "Europe/Berlin", visits: [], demo: false, cameras, ...values };
}

const TWO = report({ back: camera({ man: { "09": 1, 10: 2 } }), door: camera({ man: { 10: 3 }, woman: { 11: 4 } }) });
const LONGER = { begins_at: at("2026-10-24T22:00:00Z"), ends_at: at("2026-10-25T23:00:00Z") };
const SHORTER = { begins_at: at("2026-03-28T23:00:00Z"), ends_at: at("2026-03-29T22:00:00Z") };

test("hours: all 24, even without a zone, except the hour skipped when clocks are set forward", () => {
  for (const values of [{}, LONGER, { zone: "" }]) assert.deepEqual(hoursOf(report({}, values)), HOURS);
  assert.deepEqual(hoursOf(report({}, SHORTER)), HOURS.filter((hour) => hour !== "02"));
});

test("sums cover all cameras or one; they exclude the demo's visitors, unless there are no others", () => {
  for (const [name, sums] of [["", [6, 10, 5, 6]], ["door", [3, 7, 3, 3]], ["nobody", [0, 0, 0, 0]]]) {
    const counts = hourly(TWO, name);
    assert.deepEqual([total(counts, "man"), grandTotal(counts), inHour(counts, "10"), beforeHour(counts, "11")], sums);
  }
  const cameras = { back: camera({ man: { "09": 5 } }, EVERY, true), door: camera({ man: { "09": 2 } }) };
  assert.deepEqual(["", "back"].map((name) => grandTotal(hourly(report(cameras), name))), [2, 5]);
  assert.equal(grandTotal(hourly(report({ back: cameras.back }, { demo: true }), "")), 5);
});

test("hours with data are those counted or with visits", () => {
  const { hours } = dayOf(report({ door: camera({ man: { 15: 1, 16: 0, 17: null } }, MORNING) }), "");
  assert.deepEqual([...hours].sort(), ["08", "09", "10", "11", "15"]);
});

const NOW = at("2026-11-23T12:00:00Z"); // 13 o'clock at the site: 13 hours have passed
const PARTS = { back: camera({}, NONE), door: camera({}), side: camera({}, MORNING) };
const MANY = { ...Object.fromEntries(["a", "b", "c", "d"].map((one) => [one, camera({}, NONE)])), door: camera({}) };

for (const [cameras, name, text] of [
  [{ door: camera({}) }, "", ""],
  [{ door: camera({}, NONE) }, "", "no data"],
  [{ door: camera({}, MORNING) }, "", "counted 3 h 30 min of 13 h"],
  [PARTS, "", "partly counted: back no data, side 3 h 30 min of 13 h"],
  [PARTS, "back", "no data"],
  [PARTS, "door", ""],
  [MANY, "", "partly counted: a no data, b no data, c no data, and others"],
]) {
  test(`coverage: ${text || "all"} (${Object.keys(cameras)} ${name})`, () => {
    assert.equal(spaces(coverageText(report(cameras), name, NOW)), text);
  });
}

test("coverage of a longer day counts the repeated hour twice", () => {
  const [{ counted: seconds, passed }] = coverage(report({ door: camera({}, counted("02")) }, LONGER), "", Infinity);
  assert.deepEqual([seconds, passed], [7200, 25 * 3600]);
});

test("shown hours: those with visits, the current one, and enough around them", () => {
  assert.deepEqual(shownHours(HOURS, [hourly(TWO, "")], "13", 3), ["09", "10", "11", "12", "13"]);
  assert.deepEqual(shownHours(HOURS, [new Map()], "22", 4), ["20", "21", "22", "23"]);
  assert.deepEqual(shownHours(HOURS, [new Map()], "00", 4), ["00", "01", "02", "03"]);
  assert.deepEqual(shownHours(HOURS.slice(0, 3), [new Map()], "01", 9), ["00", "01", "02"]);
});

test("an hour in words", () => {
  const [one, two, none] = [report({ door: camera({ man: { "09": 2 }, woman: { "09": 1 } }, MORNING) }), TWO,
    report({ door: camera({}, NONE) })].map((day) => dayOf(day, ""));
  const readout = (hour, beside = null) => hourReadout(hour, "13", ["woman", "man"], LABELS, one, beside, "Sun 22 Nov");
  assert.equal(readout("09"), "09–10 h: woman 1, man 2");
  assert.equal(readout("10", two), "10–11 h: no visits · 5 on Sun 22 Nov");
  assert.equal(readout("12"), "12–13 h: no data");
  assert.equal(readout("23", none), "23–00 h: not yet · no data on Sun 22 Nov");
  assert.equal(busiest(none.counts), "");
  assert.equal(busiest(two.counts), "Busiest: 10–11 h with 5 visitors");
});

for (const [soFar, before, text] of [
  [23, 20, "+15% (20)"], [10, 20, "-50% (20)"], [20, 20, "0% (20)"], [3, 12, "-9 (12)"], [5, 0, "+5 (0)"], [0, 0, "0 (0)"],
  [1600, 1000, "+60% (1,000)"], [null, 20, ""], [20, null, ""],
]) {
  test(`the difference between ${soFar} and ${before}`, () => assert.equal(changeText({ soFar, before }), text));
}

test("figures compare both days until the current hour begins, and only where both have data", () => {
  const today = report({ door: camera({ man: { "09": 2, 10: 1, 11: 9 }, woman: { "09": 1 } }, MORNING) });
  const last = report({ door: camera({ man: { "08": 3, 10: 2, 15: 40 } }) });
  const figures = (other, hour, crossings = [], inside = null) =>
    figuresOf(dayOf(today, ""), other && dayOf(other, ""), crossings, inside, ["woman", "man"], hour)
      .map(({ key, count, soFar, before }) => [key, count, soFar, before]);
  assert.deepEqual(figures(last, "11"), [["visitors", 13, 4, 5], ["label woman", 1, 1, 0], ["label man", 12, 3, 5]]);
  assert.deepEqual(figures(null, "11")[0], ["visitors", 13, 4, null]);
  assert.deepEqual(figures(last, "08")[0], ["visitors", 13, null, 0]);
  assert.deepEqual(figures(report({ door: camera({}, counted("15")) }), "11")[0], ["visitors", 13, 4, null]);
  const counts = hourly(today, "");
  assert.deepEqual(figures(last, "11", [{ key: "in", counts, other: new Map() }], 7).slice(1, 3),
    [["in", 13, 4, 0], ["inside", 7, null, null]]);
  const nothing = report({ door: camera({}, NONE) });
  assert.deepEqual(figuresOf(dayOf(nothing, ""), null, [], null, [], "11").map(({ count }) => count), [null]);
});

for (const [text, cameras, isDemo, live] of [
  ["", { door: camera({}) }, false, {}],
  ["Demo: these visitors are not real", { door: camera({}, EVERY, true) }, true, {}],
  ["Demo at back: visitors there are not real. The totals of all cameras exclude them.", { back: camera({}, EVERY, true), door: camera({}) }, false, {}],
  ["Demo at door: visitors there are not real. Today's totals exclude them.", { door: camera({}) }, false, { door: { state: "live", demo: true } }],
  ["", { door: camera({}) }, false, { door: { state: "offline", demo: true } }],
]) {
  test(`the demo's banner: ${text}`, () => {
    const banner = demoText({ today: { report: report(cameras, { demo: isDemo }) }, cameras: live });
    assert.ok(text ? banner.startsWith(text) : banner === "", banner);
  });
}
