/** A day's report: sums, hours, coverage, and what is said of them. */

import assert from "node:assert/strict";
import { test } from "node:test";

process.env.TZ = "America/New_York";

const page = "../../../dashboard/page";
const { beforeHour, coverage, dayOf, grandTotal, hoursOf, hourly, inHour, shownHours, total } = await import(`${page}/report.js`);
const { coverageText } = await import(`${page}/coverage.js`);
const { busiest, hourReadout, soFar } = await import(`${page}/readout.js`);
const { demoText } = await import(`${page}/demo.js`);

const HOURS = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, "0"));
const at = (text) => Date.parse(text) / 1000;
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

test("hours: all, also without a zone, except the one that is missing where clocks are set forward", () => {
  for (const values of [{}, LONGER, { zone: "" }]) assert.deepEqual(hoursOf(report({}, values)), HOURS);
  assert.deepEqual(hoursOf(report({}, SHORTER)), HOURS.filter((hour) => hour !== "02"));
});

test("sums are those of all cameras or of one; the demo's visitors are left out, unless there are no others", () => {
  for (const [name, sums] of [["", [6, 10, 5, 6]], ["door", [3, 7, 3, 3]], ["nobody", [0, 0, 0, 0]]]) {
    const counts = hourly(TWO, name);
    assert.deepEqual([total(counts, "man"), grandTotal(counts), inHour(counts, "10"), beforeHour(counts, "11")], sums);
  }
  const cameras = { back: camera({ man: { "09": 5 } }, EVERY, true), door: camera({ man: { "09": 2 } }) };
  assert.deepEqual(["", "back"].map((name) => grandTotal(hourly(report(cameras), name))), [2, 5]);
  assert.equal(grandTotal(hourly(report({ back: cameras.back }, { demo: true }), "")), 5);
});

test("hours with data: counted, or with visits", () => {
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
    assert.equal(coverageText(report(cameras), name, NOW).replaceAll("\u00a0", " "), text);
  });
}

test("coverage of a longer day counts its hour twice", () => {
  const [{ counted: seconds, passed }] = coverage(report({ door: camera({}, counted("02")) }, LONGER), "", Infinity);
  assert.deepEqual([seconds, passed], [7200, 25 * 3600]);
});

test("shown hours: those with visits and the present one, and enough around them", () => {
  assert.deepEqual(shownHours(HOURS, [hourly(TWO, "")], "13", 3), ["09", "10", "11", "12", "13"]);
  assert.deepEqual(shownHours(HOURS, [new Map()], "22", 4), ["20", "21", "22", "23"]);
  assert.deepEqual(shownHours(HOURS, [new Map()], "00", 4), ["00", "01", "02", "03"]);
  assert.deepEqual(shownHours(HOURS.slice(0, 3), [new Map()], "01", 9), ["00", "01", "02"]);
});

test("an hour, and a day so far, in words", () => {
  const [one, two, none] = [report({ door: camera({ man: { "09": 2 }, woman: { "09": 1 } }, MORNING) }), TWO,
    report({ door: camera({}, NONE) })].map((day) => dayOf(day, ""));
  const say = (hour, beside = null) => hourReadout(hour, "13", ["woman", "man"], one, beside, "Sun 22 Nov");
  assert.equal(say("09"), "09–10 h: woman 1, man 2");
  assert.equal(say("10", two), "10–11 h: no visit · 5 on Sun 22 Nov");
  assert.equal(say("12"), "12–13 h: no data");
  assert.equal(say("23", none), "23–00 h: not yet · no data on Sun 22 Nov");
  assert.equal(soFar("11", two, two, "Sun 22 Nov"), "Before 11:00: 6 today, 6 on Sun 22 Nov");
  assert.equal(soFar("11", two, none, "Sun 22 Nov"), "Before 11:00: 6 today, no data on Sun 22 Nov");
  assert.deepEqual([soFar("11", none, none, ""), soFar("00", two, two, ""), busiest(none.counts)], ["", "", ""]);
  assert.equal(busiest(two.counts), "Busiest hour: 10–11 h with 5 visitors");
});

for (const [text, cameras, isDemo, live] of [
  ["", { door: camera({}) }, false, {}],
  ["Demo: these visitors are not real", { door: camera({}, EVERY, true) }, true, {}],
  ["Demo at back: visitors there are not real, and are left out", { back: camera({}, EVERY, true), door: camera({}) }, false, {}],
  ["Demo at door: visitors there are not real, and are not added", { door: camera({}) }, false, { door: { state: "live", demo: true } }],
  ["", { door: camera({}) }, false, { door: { state: "offline", demo: true } }],
]) {
  test(`the demo's banner: ${text}`, () => {
    const said = demoText({ today: { report: report(cameras, { demo: isDemo }) }, cameras: live });
    assert.ok(text ? said.startsWith(text) : said === "", said);
  });
}
