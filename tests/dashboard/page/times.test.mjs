/** Times of the site, whatever the viewer's zone. */

import assert from "node:assert/strict";
import { test } from "node:test";

process.env.TZ = "America/New_York"; // the viewer's

const { SiteTime, age, dayAfter, duration, longDay, shortDay } = await import("../../../dashboard/page/times.js");

const at = (text) => Date.parse(text) / 1000;

function site(zone) {
  const one = new SiteTime();
  one.learn(zone);
  return one;
}

const TABLE = [
  // zone, time (UTC), site's time, site's minutes beside the viewer's, how far the viewer is apart
  ["Europe/Berlin", "2026-07-01T12:00:09Z", "14:00:09", "14:00 · 08:00 your time", "6 h behind"],
  ["Europe/Berlin", "2026-12-01T23:30:00Z", "00:30:00", "00:30 · 18:30 your time", "6 h behind"],
  ["Asia/Kathmandu", "2026-07-01T12:00:00Z", "17:45:00", "17:45 · 08:00 your time", "9 h 45 min behind"],
  ["Pacific/Chatham", "2026-12-01T12:00:00Z", "01:45:00", "01:45 · 07:00 your time", "18 h 45 min behind"],
  ["Pacific/Honolulu", "2026-07-01T12:00:00Z", "02:00:00", "02:00 · 08:00 your time", "6 h ahead"],
  ["America/New_York", "2026-07-01T12:00:00Z", "08:00:00", "08:00", ""],
  ["UTC", "2026-07-01T00:00:00.9Z", "00:00:00", "00:00 · 20:00 your time", "4 h behind"],
];

for (const [zone, time, seconds, both, apart] of TABLE) {
  test(`${time} in ${zone}`, () => {
    const one = site(zone);
    assert.equal(one.known, true);
    assert.equal(one.zone, zone);
    assert.equal(one.seconds(at(time)), seconds);
    assert.equal(one.minutes(at(time)), seconds.slice(0, 5));
    assert.equal(one.hour(at(time)), seconds.slice(0, 2));
    assert.equal(one.both(at(time)), both);
    assert.equal(one.apart(at(time)).replaceAll("\u00a0", " "), apart);
  });
}

test("the hour in which clocks are set back comes twice", () => {
  const one = site("Europe/Berlin");
  const hours = ["23:30", "00:30", "01:30"].map((time, day) => one.hour(at(`2026-10-${day ? 25 : 24}T${time}:00Z`)));
  assert.deepEqual(hours, ["01", "02", "02"]);
});

test("an unknown zone is the viewer's", () => {
  for (const zone of ["", "Nowhere/Land", "<script>", "NOON-3"]) {
    const one = site(zone);
    assert.equal(one.known, false);
    assert.equal(one.zone, "");
    assert.equal(one.minutes(at("2026-07-01T12:00:00Z")), "08:00");
    assert.equal(one.yours(at("2026-07-01T12:00:00Z")), "");
  }
});

test("a time of another day is given with its day", () => {
  const one = site("Europe/Berlin");
  const now = at("2026-11-23T12:00:00Z");
  assert.equal(one.since(at("2026-11-23T01:02:00Z"), now), "02:02");
  assert.equal(one.since(at("2026-11-22T22:59:00Z"), now), "Sun 22 Nov 23:59");
  assert.equal(one.since(at("2026-11-22T23:01:00Z"), now), "00:01");
});

test("days", () => {
  assert.equal(dayAfter("2026-03-01", -1), "2026-02-28");
  assert.equal(dayAfter("2026-10-25", -7), "2026-10-18");
  assert.equal(dayAfter("2026-12-31", 1), "2027-01-01");
  assert.equal(longDay("2026-11-23"), "Monday 23 November");
  assert.equal(shortDay("2026-11-23"), "Mon 23 Nov");
});

for (const [seconds, text] of [
  [0, "0.0 s"], [-1, "0.0 s"], [3.14, "3.1 s"], [9.94, "9.9 s"], [9.96, "10 s"], [59.6, "1 min"], [125, "2 min 5 s"],
  [3600, "1 h"], [12_000, "3 h 20 min"], [86400, "24 h"], [200_000, "2 days"],
]) {
  test(`${seconds} s is ${text}`, () => assert.equal(duration(seconds).replaceAll("\u00a0", " "), text));
}

test("age of a picture", () => {
  assert.deepEqual([0.034, -2, 0.994, 1.2].map(age), ["0.03\u00a0s", "0.00\u00a0s", "0.99\u00a0s", "1.2\u00a0s"]);
});
