/** Times of the site, whatever the viewer's zone. */

import assert from "node:assert/strict";
import { test } from "node:test";

process.env.TZ = "America/New_York"; // the viewer's

const { SiteTime, age, dayAfter, duration, longDay, shortDay } = await import("../../../dashboard/page/times.js");

const at = (text) => Date.parse(text) / 1000;
const spaces = (text) => text.replaceAll("\u00a0", " ");

function site(zone) {
  const one = new SiteTime();
  one.learn(zone);
  return one;
}

const UNKNOWN = ["", "Nowhere/Land", "<script>", "NOON-3"]; // the viewer's time stands in

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
    assert.equal(one.both(at(time)), yours ? `${minutes} · ${yours}` : minutes);
    assert.equal(spaces(one.apart(at(time))), apart);
  });
}

const since = (time) => site("Europe/Berlin").since(at(time), at("2026-11-23T12:00:00Z"));

for (const [name, say, cases] of [
  ["a time of another day, with its day", since, [
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
