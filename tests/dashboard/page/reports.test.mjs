/** Reports: periods and their names, the requests for a choice, sums beside those of the period before, the busiest times, scales. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { speak } from "./catalogue.mjs";

const page = "../../../dashboard/page";
const { busiestDays, daysOf, neighbour, periodBefore, periodName, periodOf, periodTitle, stepName, stepTick, unitOf } =
  await import(`${page}/reports/periods.js`);
const { choiceIn, fileOf, hashOf, isCurrent, requestsOf } = await import(`${page}/reports/choice.js`);
const { change, inDirection, isFull, keysOf, meanShare, realRows, stepsOf } = await import(`${page}/reports/sums.js`);
const { levelOf, peak, shownHours, weekOf } = await import(`${page}/reports/busiest.js`);
const { ticksOf } = await import(`${page}/reports/bars.js`);
const { changeText } = await import(`${page}/reports/table.js`);

const { SiteTime } = await import(`${page}/base/times.js`);

function site() {
  const one = new SiteTime();
  one.setZone("Europe/Berlin");
  return one;
}

const spaces = (text) => text.replaceAll(/[\u00a0\u2009\u202f]/g, " ");

for (const [period, unit, first, end, earlier, later, before] of [
  ["2026-11-23", "day", "2026-11-23", "2026-11-24", "2026-11-22", "2026-11-24", "2026-11-16"],
  ["2026-03-01", "day", "2026-03-01", "2026-03-02", "2026-02-28", "2026-03-02", "2026-02-22"],
  ["2026-W48", "week", "2026-11-23", "2026-11-30", "2026-W47", "2026-W49", "2026-W47"],
  ["2026-W53", "week", "2026-12-28", "2027-01-04", "2026-W52", "2027-W01", "2026-W52"],
  ["2024-W01", "week", "2024-01-01", "2024-01-08", "2023-W52", "2024-W02", "2023-W52"],
  ["2026-01", "month", "2026-01-01", "2026-02-01", "2025-12", "2026-02", "2025-12"],
  ["2024-02", "month", "2024-02-01", "2024-03-01", "2024-01", "2024-03", "2024-01"],
  ["2026", "year", "2026-01-01", "2027-01-01", "2025", "2027", "2025"],
]) {
  test(`the ${unit} ${period}`, () => {
    assert.equal(unitOf(period), unit);
    assert.deepEqual(daysOf(period), [first, end]);
    assert.deepEqual([neighbour(period, -1), neighbour(period, 1), periodBefore(period)], [earlier, later, before]);
    assert.equal(periodOf(unit, first), period);
  });
}

test("what is no period", () => {
  for (const period of ["", "today", "2026-13", "2026-02-30", "2026-W00", "2026-W54", "2025-W53", "2026-1", "26", "2026-11-23T09:00", "0050", "1970"]) {
    assert.equal(unitOf(period), null, period);
  }
});

for (const [language, locale, titles, names] of [
  [
    "en", "en-GB",
    ["Friday 27 November 2026", "Week 48, 23–29 November 2026", "Week 53, 28 December 2026 – 3 January 2027", "November 2026", "2026"],
    ["09–10 h", "09", "Mon 23 Nov", "Mon", "23", "November", "Nov"],
  ],
  [
    "en", "en-US",
    ["Friday, November 27, 2026", "Week 48, November 23 – 29, 2026", "Week 53, December 28, 2026 – January 3, 2027", "November 2026", "2026"],
    ["9 – 10 AM", "9 AM", "Mon, Nov 23", "Mon", "23", "November", "Nov"],
  ],
  [
    "de", "de-DE",
    ["Freitag, 27. November 2026", "Woche 48, 23.–29. November 2026", "Woche 53, 28. Dezember 2026 – 3. Januar 2027", "November 2026", "2026"],
    ["09–10 Uhr", "09", "Mo., 23. Nov.", "Mo", "23", "November", "Nov"],
  ],
]) {
  test(`periods and steps in ${locale}`, () => {
    speak(language, locale);
    const tight = (text) => spaces(text).replaceAll(/ ?– ?/g, "–").replaceAll(",", ""); // versions of ICU differ in these
    assert.deepEqual(["2026-11-27", "2026-W48", "2026-W53", "2026-11", "2026"].map(periodTitle).map(tight), titles.map(tight));
    const hour = "2026-11-23T09:00+01:00";
    assert.deepEqual(
      [
        stepName("day", hour), stepTick("day", hour), stepName("week", "2026-11-23"), stepTick("week", "2026-11-23"),
        stepTick("month", "2026-11-23"), stepName("year", "2026-11"), stepTick("year", "2026-11"),
      ].map(tight),
      names.map(tight),
    );
    speak("en", "en-GB");
  });
}

test("an address keeps the choice; what it does not say is this week", () => {
  const choice = { period: "2026-10", camera: "door", measure: "in", open: true };
  assert.equal(hashOf(choice), "reports?from=2026-10&camera=door&show=in&open=yes");
  assert.deepEqual(choiceIn(`#${hashOf(choice)}`, "2026-11-27"), choice);
  for (const hash of ["", "#reports", "#reports?from=2026-02-30&show=all&open=no", "#reports?from=2026-W49", "#reports?from=9999-W52"]) {
    assert.deepEqual(choiceIn(hash, "2026-11-27"), { period: "2026-W48", camera: "", measure: "visits", open: false });
  }
  assert.equal(choiceIn("#reports?from=2027", "2026-11-27").period, "2026");
});

const NOW = "2026-11-27T09:30";
const WEEK = { period: "2026-W48", camera: "", measure: "visits", open: false };
for (const [name, choice, isOpen, steps, sum, busiest] of [
  [
    "a week that is not over is compared until the same minute", WEEK, true,
    "from=2026-W48&by=day&before=week", "from=2026-11-23&to=2026-11-27T09%3A31&by=week&before=week",
    "from=2026-11-23&to=2026-11-27T09%3A00&by=weekday-hour",
  ],
  [
    "a month that is over", { ...WEEK, period: "2026-10", camera: "door", measure: "out", open: true }, false,
    "from=2026-10&by=day&before=month&table=crossings&direction=out&camera=door&open=yes",
    "from=2026-10-01&to=2026-11-01&by=month&before=month&table=crossings&camera=door&open=yes",
    "from=2026-10-01&to=2026-11-01&by=weekday-hour&table=crossings&direction=out&camera=door&open=yes",
  ],
  [
    "a day has the busiest times of four weeks", { ...WEEK, period: "2026-11-26", measure: "zones" }, false,
    "from=2026-11-26&by=hour&before=week&table=zones", "from=2026-11-26&to=2026-11-27&by=day&before=week&table=zones",
    "from=2026-10-30&to=2026-11-27&by=weekday-hour&table=zones",
  ],
]) {
  test(name, () => {
    const asked = requestsOf(choice, NOW);
    assert.deepEqual([asked.steps, asked.sum, asked.busiest], [steps, sum, busiest].map((query) => `/reports?${query}`));
    assert.equal(isCurrent(choice, NOW), isOpen);
  });
}

test("a week has no busiest times in its first hour; a file is named by its choice", () => {
  assert.equal(requestsOf(WEEK, "2026-11-23T00:40").busiest, null);
  assert.match(requestsOf(WEEK, "2026-11-23T00:00").sum, /to=2026-11-23T00%3A01/);
  assert.deepEqual(fileOf({ ...WEEK, camera: "door", measure: "in" }, "csv"), {
    href: "/reports?from=2026-W48&by=day&before=week&format=csv&table=crossings&direction=in&camera=door",
    name: "footfall-2026-W48-door-in.csv",
  });
});

const row = (period, camera, label, visits, counted, before = null, countedBefore = null, demo = false) => ({
  period, from: `${period}T00:00+01:00`, to: "", camera, label, visits, counted, before, counted_before: countedBefore, demo,
});
const plain = ({ counts, sum, coverage }) => [Object.fromEntries(counts), sum, Object.fromEntries(coverage)];

test("sums of cameras and labels: nobody differs from no data", () => {
  const rows = [
    row("2026-11-23", "back", "man", 2, 1, 5, 0.5),
    row("2026-11-23", "door", "man", 1, 0.5, null),
    row("2026-11-23", "door", "woman", 3, 0.5, null),
    row("2026-11-24", "back", "man", 0, 1),
    row("2026-11-24", "door", "man", null, null),
    row("2026-11-25", "back", "man", null, null),
    row("2026-11-25", "door", "", null, null),
  ];
  const steps = stepsOf(rows, "visits");
  assert.deepEqual(steps.map(({ now }) => plain(now)), [
    [{ man: 3, woman: 3 }, 6, { back: 1, door: 0.5 }],
    [{ man: 0 }, 0, { back: 1, door: null }],
    [{}, null, { back: null, door: null }],
  ]);
  assert.deepEqual(plain(steps[0].before), [{ man: 5 }, 5, { back: 0.5, door: null }]);
  assert.deepEqual([...keysOf(steps)], ["man", "woman"]);
  assert.deepEqual(steps.map(({ now }) => isFull(now.coverage)), [false, false, true]);
  assert.deepEqual(steps.map(({ now }) => meanShare(now.coverage)), [0.75, 0.5, null]);
});

test("a camera that counted nobody at all", () => {
  const [step] = stepsOf([row("2026-11-23", "door", "", 0, 1, null, null)], "visits");
  assert.deepEqual([step.now.sum, step.before.sum, [...keysOf([step])]], [0, null, []]);
});

test("crossings have directions, zones have seconds", () => {
  const crossing = (direction, crossings) => ({ ...row("2026-11-23", "door", "man", null, 1), line: "entrance", direction, crossings });
  assert.equal(stepsOf(inDirection([crossing("in", 4), crossing("out", 3)], "out"), "out")[0].now.sum, 3);
  const [{ now, before }] = stepsOf(
    [{ ...row("2026-11-23", "door", "man", 2, 1, 4, 1), zone: "till", seconds: 90.5, seconds_before: 30 }],
    "zones",
  );
  assert.deepEqual([now.counts.get("till"), now.visits.get("till"), before.counts.get("till"), before.visits.get("till")], [90.5, 2, 30, 4]);
});

test("the demo is never added to real visitors", () => {
  const [demo, real, idle] = [
    row("2026-11-23", "toy", "man", 9, 1, null, null, true), row("2026-11-23", "door", "man", 1, 1), row("2026-11-23", "back", "", null, null),
  ];
  assert.deepEqual(realRows([demo, real, idle], ""), [real, idle]);
  assert.deepEqual(realRows([demo, idle], ""), [demo, idle]);
  assert.deepEqual(realRows([demo], "toy"), [demo]);
});

for (const [now, before, share, shown] of [
  [110, 100, 0.1, "+10%"], [50, 100, -0.5, "-50%"], [100, 100, 0, "0%"], [0, 7, -1, "-100%"], [5, 0, null, "–"], [5, null, null, "–"], [null, 5, null, "–"],
]) {
  test(`the change from ${before} to ${now}`, () => assert.deepEqual([change(now, before), changeText(now, before)], [share, shown]));
}

const hour = (period, camera, visits, counted) => ({ ...row("", camera, "man", visits, counted), period });

test("the mean of an hour of the week is of the time that was counted", () => {
  const rows = [
    hour("Mo 09", "door", 6, 0.5), hour("Mo 09", "back", 4, 1), hour("Mo 10", "door", 0, 1), hour("Tu 09", "door", null, null),
    hour("We 09", "door", 1, 0.01),
  ];
  const week = weekOf(rows, "visits", "2026-11-02", "2026-11-30", site()); // four weeks
  assert.deepEqual(Object.fromEntries(week), { "1 09": 4, "1 10": 0, "2 09": null, "3 09": null });
  assert.deepEqual(peak(week), { key: "1 09", mean: 4 });
  const partial = weekOf([hour("Fr 09", "door", 6, 1), hour("Fr 10", "door", 6, 1)], "visits", "2026-11-20", "2026-11-27T10:00", site());
  const repeated = [hour("Su 02", "door", 8, 1), hour("Su 03", "door", 4, 1)];
  assert.deepEqual(Object.fromEntries(weekOf(repeated, "visits", "2026-10-19", "2026-10-26", site())), { "7 02": 4, "7 03": 4 });
  assert.deepEqual(Object.fromEntries(partial), { "5 09": 3, "5 10": 6 });
  assert.equal(peak(new Map([["1 09", 0], ["1 10", null]])), null);
  assert.deepEqual(busiestDays("2026-11-27"), ["2026-10-31", "2026-11-27"]);
});

test("hours to show, levels and scales", () => {
  assert.deepEqual(shownHours(new Map()), ["09", "10", "11", "12", "13", "14", "15", "16"]);
  assert.deepEqual(shownHours(new Map([["1 22", 1], ["2 23", 2], ["3 03", 0]])), ["16", "17", "18", "19", "20", "21", "22", "23"]);
  assert.equal(shownHours(new Map([["1 00", 1], ["7 23", 2]])).length, 24);
  assert.deepEqual([0, 0.1, 20, 20.1, 99, 100].map((mean) => levelOf(mean, 100)), [0, 1, 1, 2, 5, 5]);
  assert.equal(levelOf(0, 0), 0);
  assert.deepEqual([0, 1, 3, 5, 41, 1900].map((highest) => ticksOf(highest, false).join()), [
    "0,1", "0,1", "0,1,2,3", "0,2,4,6", "0,20,40,60", "0,500,1000,1500,2000",
  ]);
  assert.deepEqual(ticksOf(8000, true), [0, 3600, 7200, 10800]);
  assert.equal(periodName("2026-W48"), "Week 48");
});
