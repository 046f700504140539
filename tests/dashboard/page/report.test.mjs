/** A day's report: sums, hours, coverage, and what is said of them. */

import assert from "node:assert/strict";
import { test } from "node:test";

process.env.TZ = "America/New_York";

const page = "../../../dashboard/page";
const { beforeHour, coverage, dayOf, grandTotal, hoursOf, hourText, hourly, inHour, shownHours, total } = await import(`${page}/report.js`);
const { coverageText } = await import(`${page}/coverage.js`);
const { busiest, hourReadout, soFar } = await import(`${page}/readout.js`);
const { demoText } = await import(`${page}/demo.js`);

const HOURS = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, "0"));
const at = (text) => Date.parse(text) / 1000;
const counted = (share, ...hours) => Object.fromEntries(HOURS.map((hour) => [hour, hours.includes(hour) ? share : null]));
const EVERY = counted(1, ...HOURS);
const NONE = counted(1);
const MORNING = { ...counted(1, "08", "09", "10"), 11: 0.5 };
const spaces = (text) => text.replaceAll("\u00a0", " ");

function camera(visits, hours = EVERY, demo = false) {
  return { visits, counted: hours, totals: {}, demo };
}

function report(cameras, values = {}) {
  const [begins_at, ends_at] = [at("2026-11-22T23:00:00Z"), at("2026-11-23T23:00:00Z")];
  return { day: "2026-11-23", begins_at, ends_at, zone: "Europe/Berlin", visits: [], demo: false, cameras, ...values };
}

const TWO = report({ back: camera({ man: { "09": 1, 10: 2 } }), door: camera({ man: { 10: 3 }, woman: { 11: 4 } }) });

for (const [name, begins, ends, hours] of [
  ["an ordinary day", "2026-11-22T23:00:00Z", "2026-11-23T23:00:00Z", HOURS],
  ["clocks are set back", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", HOURS],
  ["clocks are set forward", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", HOURS.filter((hour) => hour !== "02")],
]) {
  test(`hours: ${name}`, () => assert.deepEqual(hoursOf(report({}, { begins_at: at(begins), ends_at: at(ends) })), hours));
}

test("hours without a zone", () => assert.deepEqual(hoursOf(report({}, { zone: "" })), HOURS));

test("sums are those of all cameras or of one", () => {
  for (const [name, sums] of [["", [6, 10, 5, 6]], ["door", [3, 7, 3, 3]], ["nobody", [0, 0, 0, 0]]]) {
    const counts = hourly(TWO, name);
    assert.deepEqual([total(counts, "man"), grandTotal(counts), inHour(counts, "10"), beforeHour(counts, "11")], sums);
  }
});

test("the demo's visitors are left out of a sum of cameras, unless there are no others", () => {
  const cameras = { back: camera({ man: { "09": 5 } }, EVERY, true), door: camera({ man: { "09": 2 } }) };
  assert.equal(grandTotal(hourly(report(cameras), "")), 2);
  assert.equal(grandTotal(hourly(report(cameras), "back")), 5);
  assert.equal(grandTotal(hourly(report({ back: cameras.back }, { demo: true }), "")), 5);
});

test("hours with data: counted, or with visits", () => {
  const { hours } = dayOf(report({ door: camera({ man: { 15: 1, 16: 0, 17: null } }, MORNING) }), "");
  assert.deepEqual([...hours].sort(), ["08", "09", "10", "11", "15"]);
});

const TEN = at("2026-11-23T12:00:00Z"); // 13 o'clock at the site: 13 hours have passed

for (const [cameras, name, text] of [
  [{ door: camera({}, EVERY) }, "", ""],
  [{ door: camera({}, NONE) }, "", "no data"],
  [{ door: camera({}, MORNING) }, "", "counted 3 h 30 min of 13 h"],
  [{ back: camera({}, NONE), door: camera({}), side: camera({}, MORNING) }, "", "partly counted: back no data, side 3 h 30 min of 13 h"],
  [{ back: camera({}, NONE), door: camera({}) }, "back", "no data"],
  [{ back: camera({}, NONE), door: camera({}) }, "door", ""],
  [{ ...Object.fromEntries(["a", "b", "c", "d"].map((one) => [one, camera({}, NONE)])), door: camera({}) }, "",
    "partly counted: a no data, b no data, c no data, and others"],
]) {
  test(`coverage: ${text || "all"} (${Object.keys(cameras)} ${name})`, () => {
    assert.equal(spaces(coverageText(report(cameras), name, TEN)), text);
  });
}

test("coverage of a longer day counts its hour twice", () => {
  const longer = { begins_at: at("2026-10-24T22:00:00Z"), ends_at: at("2026-10-25T23:00:00Z") };
  const [{ counted: seconds, passed }] = coverage(report({ door: camera({}, counted(1, "02")) }, longer), "", Infinity);
  assert.deepEqual([seconds, passed], [7200, 25 * 3600]);
});

test("shown hours: those with visits and the present one, and enough around them", () => {
  const days = [hourly(TWO, "")];
  assert.deepEqual(shownHours(HOURS, days, "13", 3), ["09", "10", "11", "12", "13"]);
  assert.deepEqual(shownHours(HOURS, [new Map()], "22", 4), ["20", "21", "22", "23"]);
  assert.deepEqual(shownHours(HOURS, [new Map()], "00", 4), ["00", "01", "02", "03"]);
  assert.deepEqual(shownHours(HOURS.slice(0, 3), [new Map()], "01", 9), ["00", "01", "02"]);
  assert.equal(hourText("23"), "23–00");
});

test("an hour in words", () => {
  const [today, other] = [dayOf(report({ door: camera({ man: { "09": 2 }, woman: { "09": 1 } }, MORNING) }), ""), dayOf(TWO, "")];
  const say = (hour, beside = null) => hourReadout(hour, "13", ["woman", "man"], today, beside, "Sun 22 Nov");
  assert.equal(say("09"), "09–10 h: woman 1, man 2");
  assert.equal(say("10", other), "10–11 h: no visit · 5 on Sun 22 Nov");
  assert.equal(say("12"), "12–13 h: no data");
  assert.equal(say("15", dayOf(report({ door: camera({}, NONE) }), "")), "15–16 h: not yet · no data on Sun 22 Nov");
});

test("a day so far in words", () => {
  const [two, none] = [dayOf(TWO, ""), dayOf(report({ door: camera({}, NONE) }), "")];
  assert.equal(soFar("11", two, two, "Sun 22 Nov"), "Before 11:00: 6 today, 6 on Sun 22 Nov");
  assert.equal(soFar("11", two, none, "Sun 22 Nov"), "Before 11:00: 6 today, no data on Sun 22 Nov");
  assert.equal(soFar("11", none, none, ""), "");
  assert.equal(soFar("00", two, two, ""), "");
  assert.equal(busiest(two.counts), "Busiest hour: 10–11 h with 5 visitors");
  assert.equal(busiest(hourly(report({ door: camera({ man: { 10: 1 } }) }), "")), "Busiest hour: 10–11 h with 1 visitor");
  assert.equal(busiest(none.counts), "");
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
