/** What the page says of modules, cameras and pictures. */

import assert from "node:assert/strict";
import { test } from "node:test";

const page = "../../../dashboard/page";
const { Broker } = await import(`${page}/broker.js`);
const { Changes } = await import(`${page}/changes.js`);
const { LabelColours } = await import(`${page}/colours.js`);
const { Summary } = await import(`${page}/summary.js`);
const { SiteTime } = await import(`${page}/times.js`);
const { verdict } = await import(`${page}/verdict.js`);
const { mainMetrics } = await import(`${page}/words.js`);

const NOW = 1_795_000_000; // Wed 18 Nov 2026 12:06:40 in Berlin

function module(state = "running", values = {}) {
  return { state, since: NOW - 60, at: NOW - 5, detail: "", model: null, update: null, metrics: {}, rates: {}, ...values };
}

function camera(state = "live", values = {}) {
  return { state, since: NOW - 60, detail: "", label: null, label_since: null, demo: false, dropped: [], ...values };
}

const ALL = Object.fromEntries(["capture", "classifier", "counter", "bridge", "dashboard"].map((name) => [name, module()]));
const DAY = { counted: { "09": 1 }, demo: false };
const REPORT = { day: "2026-11-18", zone: "Europe/Berlin", demo: false, cameras: { door: { ...DAY, visits: { man: { "09": 2 }, woman: { "09": 1 } } } } };

function state(values = {}) {
  return {
    modules: ALL, cameras: { door: camera() }, broker: { away_since: null }, today: { problem: "", report: REPORT }, ...values,
  };
}

function parts() {
  const [clock, site, colours] = [{ now: NOW }, new SiteTime(), new LabelColours()];
  site.learn("Europe/Berlin");
  colours.learn(["man", "woman"]);
  return [new Broker(clock), clock, site, colours];
}

const only = (name, state, values) => ({ modules: { ...ALL, [name]: module(state, values) } });
const SILENT = { cameras: { door: camera("silent") } };
const LOST = { cameras: { door: camera("lost", { detail: "unplugged." }) } };

for (const [name, values, weight, text, advice] of [
  ["all is well", {}, "good", "Counting. 1 camera live, 3 visitors today: man 2, woman 1.", ""],
  ["there is no display", only("display", "offline", { detail: "stopped" }), "good", "Counting. 1 camera live", ""],
  ["the display is lost", only("display", "offline", { detail: "connection lost" }), "warn", "Counting.",
    "The module display has been offline since 12:05: it ended without saying so, or cannot reach the broker."],
  ["the broker is away", { broker: { away_since: NOW - 120 } }, "bad", "Footfall's broker has been away since 12:04.", "Is Mosquitto running?"],
  ["the counter is down", only("counter", "offline"), "bad", "The module counter has been offline since 12:05.", ""],
  ["the bridge is down", only("bridge", "offline"), "warn", "Counting.", "The module bridge has been offline since 12:05."],
  ["the classifier hangs", { ...only("classifier", "running", { at: NOW - 40 }), ...SILENT }, "bad", "The module classifier has been silent since 12:06.", ""],
  ["the camera is lost", { ...only("capture", "camera-lost"), ...LOST }, "bad", "The camera door has been lost since 12:05: unplugged.", "Check its cable"],
  ["the ledger is full", only("counter", "ledger-unavailable"), "bad", "The module counter has said “ledger unavailable” since 12:05.", "Make room on the disk"],
  ["the matrix is lost", only("display", "matrix-lost"), "warn", "Counting.", "has said “matrix lost”"],
  ["the outbox fails", only("bridge", "outbox-unavailable"), "warn", "Counting.", "has said “outbox unavailable”"],
  ["nothing has reported", { modules: {}, cameras: {} }, "idle", "No camera has reported yet.", "Start capture"],
  ["all is stopped", { modules: { capture: module("offline") }, cameras: {} }, "bad", "Nothing is counted: all modules are offline.", ""],
  ["nothing was counted today", { today: { problem: "", report: { ...REPORT, cameras: {} } } }, "good", "no data for today yet", ""],
  ["counts are not known", { today: { problem: "the counter: full", report: REPORT } }, "good", "Counting. 1 camera live.", ""],
  ["the demo plays", { today: { problem: "", report: { ...REPORT, demo: true } } }, "good", "3 demo visitors today", ""],
]) {
  test(`the summary when ${name}`, () => {
    const [broker, ...others] = parts();
    broker.learn(state(values));
    const found = new Summary(broker, ...others).overview(state(values));
    assert.equal(found.weight, weight, found.text);
    assert.ok(found.text.includes(text), found.text);
    assert.ok(found.advice.includes(advice), found.advice);
  });
}

test("reports of modules grow old, except while the broker is away", () => {
  const [broker, clock] = parts();
  const known = { modules: { capture: module(), bridge: module("offline", { at: NOW - 900 }) }, broker: { away_since: null } };
  const states = () => ["capture", "bridge"].map((name) => broker.stateOf(name));
  broker.learn(known);
  assert.deepEqual([states(), broker.reports("capture"), broker.reports("bridge")], [["running", "offline"], true, false]);
  clock.now = NOW + 26;
  assert.deepEqual(states(), ["silent", "offline"]);
  assert.equal(broker.sinceOf("capture"), NOW - 5);
  broker.learn({ ...known, broker: { away_since: NOW + 26 } });
  assert.deepEqual([states(), broker.sinceOf("capture")], [["unknown", "unknown"], null]);
  broker.learn(known);
  assert.deepEqual([states(), broker.settling], [["running", "offline"], true]);
  clock.now += 31;
  assert.deepEqual([states(), broker.settling], [["silent", "offline"], false]);
});

test("changes are news only", () => {
  const [broker, clock, site] = parts();
  const changes = new Changes(broker, clock, site);
  for (const [values, ...news] of [
    [{ modules: {} }],
    [{ modules: { counter: module("starting") } }],
    [{}], // all run
    [only("counter", "offline", { detail: "connection lost" }), "counter: offline: it ended without saying so, or cannot reach the broker"],
    [{}, "counter: running"],
    [SILENT, "camera door: silent"],
    [{ cameras: { door: camera("offline") } }, "camera door: offline"],
    [{ ...SILENT, broker: { away_since: NOW } }, "broker: away"],
    [{}, "broker: back"],
  ]) {
    broker.learn(state(values));
    assert.deepEqual(changes.news(state(values)), news);
  }
});

const RULES = { threshold: 0.5, background: ["nobody", "negative", "größe"] };
const guess = (name, probability) => ({ name, probability, box: null });

for (const [labels, kind, text, share] of [
  [null, "none", "not classified", ""],
  [[], "nobody", "nobody", ""],
  [[guess("man", 0.4), guess("woman", 0.5)], "seen", "woman", "50 %"],
  [[guess("woman", 0.49)], "unsure", "unsure, perhaps woman", "49 %"],
  [[guess("Nobody", 0.9)], "nobody", "nobody", "90 %"],
  [[guess("NEGATIVE", 0.3)], "nobody", "nobody (NEGATIVE)", "30 %"],
  [[guess("GRÖSSE", 0.3)], "nobody", "nobody (GRÖSSE)", "30 %"], // as the modules compare labels
  [[guess("grösse", 0.3)], "nobody", "nobody (grösse)", "30 %"],
]) {
  test(`the label of a picture: ${text}`, () => {
    const found = verdict(labels && { labels }, RULES);
    assert.deepEqual([found.kind, found.text, found.share.replace("\u202f", " ")], [kind, text, share]);
  });
}

test("labels have the model's order of colours, and more labels than colours differ", () => {
  const colours = new LabelColours();
  colours.learn(["man", "woman"]);
  assert.deepEqual(colours.sorted(["ape", "woman", "man"]), ["man", "woman", "ape"]);
  assert.equal(new Set(Array.from({ length: 32 }, (_, place) => colours.classes(`label ${place}`))).size, 32);
});

test("the main metrics of a module", () => {
  const metrics = { inference_ms: 6.52, frames_in: 9, visits_out: 1, outbox: 7 };
  assert.deepEqual(mainMetrics(module("running", { model: "shop@0123", metrics, rates: { predictions_out: 9.96 } })), [
    "10.0 predictions a second", "6.5\u00a0ms each", "shop@0123", "1 visit since its start", "7 waiting to be sent",
  ]);
});
