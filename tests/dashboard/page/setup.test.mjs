/** The setup of a camera: geometry, shapes, drawing, drafts; and what the page says about lines and zones. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { speak } from "./catalogue.mjs";

const page = "../../../dashboard/page";
const { alertText } = await import(`${page}/live/alerts.js`);
const { boxesOf } = await import(`${page}/live/boxes.js`);
const { chartText } = await import(`${page}/counts/chart.js`);
const { Labels } = await import(`${page}/base/labels.js`);
const { Draft } = await import(`${page}/setup/draft.js`);
const { flow, hasFlow, meanStay, zonesOf } = await import(`${page}/counts/flow.js`);
const geometry = await import(`${page}/setup/geometry.js`);
const { KINDS, ruleText } = await import(`${page}/setup/rules.js`);
const { Pen } = await import(`${page}/setup/pen.js`);
const { flowReadout } = await import(`${page}/counts/readout.js`);
const { occupanciesOf } = await import(`${page}/counts/occupancy.js`);
const { find, shapesOf } = await import(`${page}/live/shapes.js`);
const { verdict } = await import(`${page}/live/verdict.js`);
const { currentClasses, classesNote } = await import(`${page}/setup/visitor-classes.js`);

const spaces = (text) => text.replaceAll(/[\u00a0\u202f]/g, " ");

const SQUARE = [[0.2, 0.2], [0.4, 0.2], [0.4, 0.4], [0.2, 0.4]];
const BOW = [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]];
const [LINE, ZONE] = [{ name: "door", from: [0.1, 0.5], to: [0.9, 0.5] }, { name: "till", polygon: SQUARE }];
const [FULL, QUEUE] = [{ name: "full", inside: 50 }, { name: "queue", zone: "till", waiting_seconds: 120 }];
const DEFAULTS = { lines: [LINE], zones: [ZONE], alerts: [QUEUE] };
const NOTHING = { lines: null, zones: null, mask: [], visitors: null, alerts: null };

for (const [kind, limit, value, text] of [
  ["inside", 50, 51, "51 visitors inside, more than 50"],
  ["people", 0, 1, "1 visitor at till, more than 0"],
  ["waiting_seconds", 120, 120.4, "somebody has been at till for more than 2 min"],
  ["lost_minutes", 10, 10.1, "no picture was counted for 10 min"],
  ["uncounted_minutes", 90, 90.1, "open for 1 h 30 min, and nobody was counted"],
  ["noise", 3, 4, "noise above 3"], // of a newer counter
]) {
  test(`an alert by ${kind}`, () => assert.equal(spaces(alertText({ kind, zone: "till", limit, value })), text));
}

test("rules are the setup's own or those of the settings, from which own ones begin; undo brings the former back", () => {
  const draft = new Draft({ ...NOTHING, alerts: [{ ...FULL, zone: null, people: null }] }, DEFAULTS);
  assert.deepEqual(draft.setup(), { alerts: [FULL] });
  draft.setOwnRules(false);
  assert.deepEqual([draft.rules, draft.setup()], [null, null]);
  draft.setOwnRules(true);
  draft.addRule("lost_minutes");
  draft.removeRule(draft.rules[0].id);
  assert.deepEqual(draft.setup(), { alerts: [{ name: "no camera", lost_minutes: 10 }] });
  draft.removeRule(draft.rules[0].id);
  assert.deepEqual(draft.setup(), { alerts: [] }); // no alerts, whatever the settings say
  while (draft.canUndo) draft.undo();
  assert.deepEqual(draft.setup(), { alerts: [FULL] });
});

test("a rule follows the zone when that is renamed, and says what is missing when it is deleted", () => {
  const draft = new Draft({ ...NOTHING, alerts: [QUEUE] }, DEFAULTS);
  const other = draft.add("zone", SQUARE);
  draft.rename(draft.shapes[1], "counter");
  assert.equal(draft.rules[0].zone, "counter");
  draft.rename(other, "counter"); // two zones with this name
  draft.rename(other, "shelf");
  assert.deepEqual([draft.rules[0].zone, draft.ruleFault(draft.rules[0])], ["counter", null]);
  draft.remove(draft.shapes[1]);
  assert.deepEqual(draft.ruleFault(draft.rules[0]), { field: "zone", problem: "needs another zone: counter is not drawn" });
  draft.undo();
  assert.equal(draft.ruleFault(draft.rules[0]), null);
});

for (const [values, field, problem] of [
  [{}, undefined, undefined],
  [{ name: " " }, "name", "has no name"],
  [{ name: "full" }, "name", "has the name of another rule"],
  [{ limit: null }, "limit", "needs a limit above 0 and at most 86,400 seconds"],
  [{ limit: 0 }, "limit", "needs a limit above 0 and at most 86,400 seconds"],
  [{ kind: "lost_minutes", limit: 1441 }, "limit", "needs a limit above 0 and at most 1,440 minutes"],
  [{ kind: "people", limit: 1.5 }, "limit", "needs a whole number from 0 to 100,000"],
  [{ kind: "inside", limit: 0, zone: null }, undefined, undefined],
  [{ zone: "" }, "zone", "needs a zone"],
]) {
  test(`a rule with ${JSON.stringify(values)} ${problem ?? "is right"}`, () => {
    const draft = new Draft({ ...NOTHING, alerts: [QUEUE, FULL] }, DEFAULTS);
    const rule = draft.ruleAt("alerts.0.waiting_seconds");
    draft.changeRule(rule.id, values);
    const fault = draft.ruleFault(draft.ruleAt("alerts.0"));
    assert.deepEqual([fault?.field, fault?.problem], [field, problem]);
  });
}

test("a new rule of each kind is right from the start; its name is free; it is about the only zone", () => {
  const draft = new Draft({ ...NOTHING, alerts: [FULL] }, DEFAULTS);
  for (const kind of [...KINDS, "inside"]) assert.equal(draft.ruleFault(draft.addRule(kind)), null);
  const names = draft.setup().alerts.map(({ name, zone }) => [name, zone].filter(Boolean).join(" at "));
  assert.deepEqual(names, ["full", "full 2", "crowd at till", "queue at till", "no camera", "nobody", "full 3"]);
  draft.add("zone", SQUARE);
  assert.equal(draft.ruleFault(draft.addRule("people"))?.problem, "needs a zone");
  assert.deepEqual([draft.ruleAt("alerts"), draft.ruleAt("zones.0"), draft.at("alerts.0")], [null, null, null]);
});

test("rules, shapes and what is wrong with them in German", () => {
  speak("de", "de-CH");
  try {
    const draft = new Draft({ ...NOTHING, alerts: [QUEUE] }, DEFAULTS);
    const [mask, line] = [draft.add("mask", BOW), draft.add("line", [[0.5, 0.5], [0.501, 0.5]])];
    assert.deepEqual([mask, line].map((shape) => `${draft.nameOf(shape)} ${draft.problem(shape)}`), ["Maske 1 schneidet sich selbst", "Linie 1 ist zu kurz"]);
    assert.equal(spaces(ruleText(draft.rules[0])), "queue: jemand ist länger als 2 min in Zone till");
    assert.equal(draft.addRule("lost_minutes").name, "Kameraausfall");
  } finally {
    speak("en", "en-GB");
  }
});

for (const [corners, problem] of [
  [SQUARE, ""],
  [BOW, "crosses itself"],
  [BOW.slice(0, 2), "has 2 corners; 3 to 32 are allowed"],
  [Array.from({ length: 33 }, (_, index) => [index / 40, (index * index) / 1600]), "has 33 corners; 3 to 32 are allowed"],
  [[[0.1, 0.1], [0.1, 0.105], [0.105, 0.1]], "is too small"],
  [[[0, 0], [0.6, 0], [0.3, 0], [0.9, 0]], "crosses itself"], // on one line, folded back
  [[[0, 0], [0.5, 0], [0.5, 0.5], [0, 0]], "crosses itself"], // touches itself
]) {
  test(`a polygon ${JSON.stringify(corners).slice(0, 60)}: ${problem || "valid"}`, () => assert.equal(geometry.polygonProblem(corners), problem));
}

test("\"in\" is to the right, looking along the line, whatever the shape of the picture", () => {
  for (const [from, to, word] of [
    [[0.1, 0.5], [0.9, 0.5], "down"], [[0.9, 0.5], [0.1, 0.5], "up"], [[0.5, 0.1], [0.5, 0.9], "left"], [[0.5, 0.9], [0.5, 0.1], "right"],
  ]) assert.equal(geometry.directionWord(geometry.inward(from, to, 16 / 9)), word);
  const [x, y] = geometry.inward([0, 0], [0.5, 1], 2); // at 45 degrees in a picture twice as wide as high
  assert.ok(Math.abs(x + Math.SQRT1_2) < 1e-9 && Math.abs(y - Math.SQRT1_2) < 1e-9);
});

test("points stay in the picture, and snap to its edges; a shape keeps its form at them", () => {
  assert.deepEqual(geometry.snapped([-0.2, 0.005]), [0, 0]);
  assert.deepEqual(geometry.snapped([0.99, 0.123456]), [1, 0.1235]);
  assert.deepEqual(geometry.stepped([0.99, 0.5], [0.05, -0.01]), [1, 0.49]);
  assert.deepEqual(geometry.moved(SQUARE, [-0.5, 0.7]), [[0, 0.8], [0.2, 0.8], [0.2, 1], [0, 1]]);
});

test("a pointer finds points first, then lines, and zones by their inside", () => {
  const shapes = shapesOf(null, DEFAULTS);
  for (const [place, found] of [
    [[0.11, 0.51], { shape: 0, point: 0 }], [[0.5, 0.51], { shape: 0, point: null }], [[0.41, 0.41], { shape: 1, point: 2 }],
    [[0.3, 0.3], { shape: 1, point: null }], [[0.6, 0.9], null], [[0.96, 0.5], null],
  ]) assert.deepEqual(find(shapes, place, 0.03, 4 / 3), found);
});

test("a setup's shapes are its own, or those of the settings", () => {
  const names = (own) => shapesOf(own, DEFAULTS).map(({ kind, name }) => [kind, name].join(" ").trim());
  assert.deepEqual(names(null), ["line door", "zone till"]);
  assert.deepEqual(names({ ...NOTHING, lines: [], mask: [SQUARE] }), ["zone till", "mask"]);
});

test("a line is drawn by two points, a polygon until its first corner is pressed again", () => {
  const [line, zone] = [new Pen("line", 1), new Pen("zone", 1)];
  line.moveTo([0.1, 0.5]);
  assert.ok(!line.press(0.03));
  assert.ok(!line.press(0.03)); // a double click
  line.moveTo([0.9, 0.995]);
  assert.ok(line.press(0.03));
  assert.deepEqual(line.points, [[0.1, 0.5], [0.9, 1]]);
  for (const corner of SQUARE.slice(0, 3)) {
    zone.moveTo(corner);
    assert.ok(!zone.press(0.03));
  }
  zone.moveTo([0.21, 0.21]);
  assert.ok(zone.press(0.03));
  assert.deepEqual(zone.points, SQUARE.slice(0, 3));
});

test("Enter sets points that keys have moved, and finishes a polygon at a corner or after a pointer", () => {
  const zone = new Pen("zone", 1);
  const walk = [[0, 0], [0.2, 0], [0, 0.2]].map((by) => (zone.moveBy(by), zone.enter()));
  assert.deepEqual(walk, [false, false, false]);
  assert.deepEqual(zone.points, [[0.5, 0.5], [0.7, 0.5], [0.7, 0.7]]);
  zone.back();
  assert.ok(!zone.isComplete);
  assert.ok(!zone.enter());
  assert.ok(zone.enter()); // at the last corner
  zone.moveBy([0.1, 0]);
  assert.ok(!zone.enter());
  zone.moveTo([0.1, 0.1]);
  assert.ok(zone.enter());
  assert.equal(zone.points.length, 4);
});

test("a polygon ends at the maximum of corners", () => {
  const zone = new Pen("mask", 1);
  const done = Array.from({ length: 32 }, (_, index) => (zone.moveTo([0.02 + index / 40, index % 2 ? 0.2 : 0.8]), zone.press(0.001)));
  assert.deepEqual(done, [...Array(31).fill(false), true]);
});

test("a draft saves only what differs from the settings, and can be undone", () => {
  const draft = new Draft(null, DEFAULTS);
  assert.equal(draft.setup(), null);
  const [line] = draft.shapes;
  draft.begin();
  draft.move(line, [0, 0.1]);
  assert.deepEqual(draft.setup(), { lines: [{ name: "door", from: [0.1, 0.6], to: [0.9, 0.6] }] });
  draft.reverse(line);
  draft.rename(line, "entrance");
  assert.deepEqual(draft.setup().lines, [{ name: "entrance", from: [0.9, 0.6], to: [0.1, 0.6] }]);
  draft.add("mask", SQUARE);
  draft.setVisitors(["person"]);
  assert.deepEqual(Object.keys(draft.setup()), ["lines", "mask", "visitors"]);
  draft.reset(null);
  assert.equal(draft.setup(), null);
  while (draft.canUndo) draft.undo();
  assert.deepEqual([draft.setup(), draft.undo()], [null, false]);
});

test("a draft of a camera's own setup keeps what is empty on purpose", () => {
  const draft = new Draft({ ...NOTHING, lines: [LINE], zones: [] }, DEFAULTS);
  assert.deepEqual(draft.setup(), { lines: [LINE], zones: [] });
  draft.remove(draft.shapes[0]);
  assert.deepEqual(draft.setup(), { lines: [], zones: [] });
});

test("new shapes get free names; problems name the shape; the server's places find it", () => {
  const draft = new Draft(null, DEFAULTS);
  const [first, second] = [draft.add("zone", BOW), draft.add("zone", SQUARE)];
  assert.deepEqual([first.name, second.name], ["zone 1", "zone 2"]);
  assert.equal(draft.problem(first), "crosses itself");
  draft.rename(second, "till");
  assert.equal(draft.problem(second), "has the name of another zone");
  draft.rename(second, " ");
  assert.equal(draft.problem(second), "has no name");
  const flat = draft.add("line", [[0.5, 0.5], [0.501, 0.5]]);
  assert.equal(draft.problem(flat), "is too short");
  assert.deepEqual([draft.at("zones.1.polygon")?.id, draft.at("lines.1")?.id, draft.at("lines"), draft.at("constructor.0")], [first.id, flat.id, null, null]);
});

test("a name that begins with the kind of its shape is not preceded by it again; masks are numbered", () => {
  const draft = new Draft(null, DEFAULTS);
  const named = ([kind, name]) => {
    const shape = draft.add(kind, SQUARE);
    draft.rename(shape, name);
    return draft.nameOf(shape);
  };
  const words = [["line", "line 1"], ["zone", "Zone A"], ["line", "lineup"], ["zone", "till"], ["line", ""], ["mask", ""], ["mask", ""]];
  assert.deepEqual(words.map(named), ["line 1", "Zone A", "line lineup", "zone till", "line", "mask 1", "mask 2"]);
});

const COCO = ["bicycle", ...Array.from({ length: 87 }, (_, number) => `thing ${number}`), "Person", "chair"];
for (const [what, classes, labels, current] of [
  ["a detector", COCO, ["Person"], ["Person"]],
  ["a detector, and a classifier of visitors", COCO, ["man", "woman"], ["Person"]],
  ["a classifier", ["man", "nobody", "woman"], ["woman", "man"], ["man", "woman"]],
  ["models without person", ["cat", "dog"], ["tabby"], ["cat", "dog"]],
  ["many classes without person", COCO.filter((name) => name !== "Person"), [], COCO.slice(0, 64)],
]) test(`the classes that make a visitor with ${what}`, () => assert.deepEqual(currentClasses(classes, labels), current));

test("the limits of classes, in words", () => {
  assert.equal(classesNote(0, 2), "0 of 2 ticked. Tick at least one.");
  assert.equal(classesNote(1, 90), "1 of 90 ticked. Tick at least one, at most 64.");
});

test("a model of whole pictures counts no lines and zones: the reason is shown instead of figures", () => {
  const state = { cameras: { door: { occupancy: null, whole_pictures: true } }, setups: {}, setup_defaults: DEFAULTS, today: { report: null } };
  const [place] = occupanciesOf(state, "", true, String);
  assert.deepEqual([place.figures, place.zones], [[], []]);
  assert.match(place.note, /looks at whole pictures/);
});

test("a corner is deleted only from a polygon with more than three", () => {
  const draft = new Draft(null, DEFAULTS);
  const zone = draft.shapes[1];
  assert.ok(draft.removePoint(zone, 1));
  assert.ok(!draft.removePoint(draft.get(zone.id), 0));
  assert.deepEqual(draft.get(zone.id).points, [SQUARE[0], SQUARE[2], SQUARE[3]]);
  draft.undo();
  assert.deepEqual(draft.get(zone.id).points, SQUARE);
});

const CROSSINGS = {
  door: { in: { man: { "09": 2 }, woman: { "09": 1, 10: 1 } }, out: { man: { 10: 3 } } },
  back: { in: { man: { "09": 1 } } },
};
const ZONES = { till: { visits: { man: { "09": 2, 10: 1 } }, seconds: { "09": 30, 10: 3 } } };
const camera = (values) => ({ totals: {}, visits: {}, counted: {}, demo: false, ...values });
const REPORT = { demo: false, cameras: { door: camera({ crossings: CROSSINGS, zones: ZONES }), demo: camera({ demo: true, crossings: CROSSINGS }), old: camera({}) } };

test("crossings of all lines add up by direction; those of the demo do not count", () => {
  assert.deepEqual([hasFlow(REPORT, ""), hasFlow(REPORT, "old"), hasFlow(null, "")], [true, false, false]);
  const [entered, left] = ["in", "out"].map((direction) => flow(REPORT, "", direction));
  assert.equal(flowReadout(null, ["woman", "man"], new Labels(), entered, left, true), "Today: 5 in (woman 2, man 3), 3 out (man 3)");
  assert.equal(flowReadout("09", ["woman", "man"], new Labels(), entered, left, true), "09–10 h: 4 in (woman 1, man 3), 0 out");
  assert.deepEqual([flowReadout("23", [], new Labels(), entered, left, false), flowReadout(null, [], new Labels(), entered, left, false)], ["23–00 h: no data", ""]);
});

test("the mean stay in a zone, in the day and in an hour", () => {
  const [till] = zonesOf(REPORT, "");
  assert.deepEqual([meanStay(till), meanStay(till, "09"), meanStay(till, "11"), zonesOf(REPORT, "old")], [11, 15, null, []]);
});

test("the chart in words", () => {
  const bars = (...values) => ({ stacks: [{ label: "man", values }], other: null });
  const rest = { hours: ["09", "10"], unknown: [false, true], currentHour: "10" };
  assert.equal(chartText({ ...rest, above: bars(3, 0), below: null }), "Visits per hour. 09–10 h: 3. The table below lists them by label. No data: 10–11 h.");
  assert.ok(chartText({ ...rest, above: bars(3, 0), below: bars(1, 2) }).startsWith("In and out per hour. 09–10 h: 3 in, 1 out; 10–11 h: 0 in, 2 out."));
});

const RULES = { threshold: 0.5 };
const PERSON = { box: [0, 0, 1, 1], confidence: 0.9, labels: [{ name: "person", probability: 0.9, visitor: true }] };
const CHAIR = { ...PERSON, labels: [{ name: "chair", probability: 0.9, visitor: false }] };
const track = (number, label) => ({ number, box: [0.1, 0.2, 0.3, 0.4], label, since: 1 });

test("boxes are those of the counter's visitors, or else the detector's", () => {
  const prediction = { labels: [], detections: [PERSON, CHAIR] };
  const texts = (tracks) => boxesOf({ prediction, tracks }, RULES, new Labels()).map(({ name, note, label }) => [`${name} ${spaces(note)}`, label]);
  assert.deepEqual(texts(null), [["person 90%", "person"]]);
  assert.deepEqual(texts([]), []);
  assert.deepEqual(texts([track(7, "woman"), track(8, "undecided")]), [["woman #7", "woman"], ["undecided #8", "undecided"]]);
  assert.equal(verdict({ prediction, tracks: [track(7, "woman"), track(8, "man")] }, RULES, new Labels()).text, "2 visitors");
  const only = (label) => Object.values(verdict({ prediction, tracks: [track(7, label)] }, RULES, new Labels()));
  assert.deepEqual(only("woman"), ["seen", "woman", "woman", ""]);
  assert.deepEqual(only("undecided"), ["unsure", "", "undecided", ""]);
});

test("undecided visitors have a neutral colour, and come last", () => {
  const colours = new Labels();
  colours.setOrder(["undecided", "man", "woman"]);
  assert.deepEqual(colours.sorted(["undecided", "woman", "man"]), ["man", "woman", "undecided"]);
  assert.equal(colours.classes("undecided"), "label-undecided");
  assert.equal(colours.index("man"), 0);
});
