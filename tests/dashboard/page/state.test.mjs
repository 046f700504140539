/** The texts of the page about modules, cameras and pictures. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { speak } from "./catalogue.mjs";

const page = "../../../dashboard/page";
const { Broker } = await import(`${page}/base/broker.js`);
const { Changes } = await import(`${page}/system/changes.js`);
const { Labels } = await import(`${page}/base/labels.js`);
const { Summary } = await import(`${page}/counts/summary.js`);
const { SiteTime } = await import(`${page}/base/times.js`);
const { verdict } = await import(`${page}/live/verdict.js`);
const { cameraWords, detailWords, dropWords, mainMetrics, metricName, metricText, moduleWords } = await import(`${page}/base/words.js`);
const { dropsText } = await import(`${page}/system/cameras.js`);

const NOW = 1_795_000_000; // Wed 18 Nov 2026 12:06:40 in Berlin

function module(state = "running", values = {}) {
  return { state, since: NOW - 60, at: NOW - 5, detail: "", model: null, update: null, metrics: {}, rates: {}, ...values };
}

function camera(state = "live", values = {}) {
  return { state, since: NOW - 60, detail: "", label: null, label_since: null, demo: false, dropped: [], alerts: [], ...values };
}

const ALL = Object.fromEntries(["capture", "classifier", "counter", "bridge", "dashboard"].map((name) => [name, module()]));
const DAY = { counted: { "09": 1 }, demo: false };
const REPORT = { day: "2026-11-18", zone: "Europe/Berlin", demo: false, cameras: { door: { ...DAY, visits: { man: { "09": 2 }, woman: { "09": 1 } } } } };

function state(values = {}) {
  return {
    modules: ALL, cameras: { door: camera() }, broker: { disconnected_since: null }, today: { problem: "", report: REPORT }, ...values,
  };
}

function parts() {
  const [clock, site] = [{ now: NOW }, new SiteTime()];
  site.setZone("Europe/Berlin");
  return [new Broker(clock), clock, site];
}

const only = (name, state, values) => ({ modules: { ...ALL, [name]: module(state, values) } });
const SILENT = { cameras: { door: camera("silent") } };
const FULL = { cameras: { door: camera("live", { alerts: [{ rule: "full", kind: "inside", zone: null, limit: 50, value: 51, since: NOW }] }) } };
const LOST = { cameras: { door: camera("lost", { detail: "unplugged." }) } };

for (const [name, values, severity, text, advice, title] of [
  ["everything works", {}, "good", "Counting. 1 camera live.", "", "3 visitors today"],
  ["there is no display", only("display", "offline", { detail: "stopped" }), "good", "Counting. 1 camera live", ""],
  ["the display is lost", only("display", "offline", { detail: "connection lost" }), "warn", "Counting.",
    "Module display: offline since 12:05 (it crashed or lost its connection to the broker)."],
  ["the broker is disconnected", { broker: { disconnected_since: NOW - 120 } }, "bad", "No connection to the broker since 12:04.", "Is Mosquitto running?"],
  ["the counter is down", only("counter", "offline"), "bad", "Module counter: offline since 12:05.", ""],
  ["the bridge is down", only("bridge", "offline"), "warn", "Counting.", "Module bridge: offline since 12:05."],
  ["the classifier hangs", { ...only("classifier", "running", { at: NOW - 40 }), ...SILENT }, "bad", "Module classifier: silent since 12:06.", ""],
  ["the camera is lost", { ...only("capture", "camera-lost"), ...LOST }, "bad", "Camera door: lost since 12:05 (unplugged).", "Check its cable"],
  ["an alert is raised", FULL, "warn", "Counting. 1 camera live.", "Alert full at door: 51 visitors inside, more than 50.", "3 visitors today"],
  ["the counter of an alert is down", { ...only("counter", "offline"), ...FULL }, "bad", "Module counter: offline since 12:05.", "Start it, or check its log."],
  ["the ledger is full", only("counter", "ledger-unavailable"), "bad", "Module counter: ledger unavailable since 12:05.", "Free disk space"],
  ["two counters have one name", only("counter", "name-taken"), "bad", "Module counter: twice on the broker since 12:05.", "Stop one of the two"],
  ["the matrix is lost", only("display", "matrix-lost"), "warn", "Counting.", "Module display: matrix lost since 12:05."],
  ["the outbox fails", only("bridge", "outbox-unavailable"), "warn", "Counting.", "Module bridge: outbox unavailable since 12:05."],
  ["nothing has reported", { modules: {}, cameras: {} }, "idle", "No camera has reported yet.", "Start capture"],
  ["everything is stopped", { modules: { capture: module("offline") }, cameras: {} }, "bad", "Not counting: all modules are offline.", ""],
  ["nothing was counted today", { today: { problem: "", report: { ...REPORT, cameras: {} } } }, "good", "Counting. 1 camera live.", "", "no data for today yet"],
  ["counts are unknown", { today: { problem: "the counter reported: full", report: REPORT } }, "good", "Counting. 1 camera live.", "", "counting"],
  ["the demo plays", { today: { problem: "", report: { ...REPORT, demo: true } } }, "good", "Counting. 1 camera live.", "", "3 demo visitors today"],
]) {
  test(`the summary when ${name}`, () => {
    const [broker, ...others] = parts();
    broker.update(state(values));
    const found = new Summary(broker, ...others).overview(state(values));
    assert.equal(found.severity, severity, found.text);
    assert.ok(found.text.includes(text), found.text);
    assert.ok(found.advice.includes(advice), found.advice);
    assert.ok(!title || found.title === title, found.title);
  });
}

test("a module without recent reports is silent, or unknown without the broker", () => {
  const [broker, clock] = parts();
  const known = { modules: { capture: module(), bridge: module("offline", { at: NOW - 900 }) }, broker: { disconnected_since: null } };
  const states = () => ["capture", "bridge"].map((name) => broker.stateOf(name));
  broker.update(known);
  assert.deepEqual([states(), broker.isReporting("capture"), broker.isReporting("bridge")], [["running", "offline"], true, false]);
  clock.now = NOW + 26;
  assert.deepEqual(states(), ["silent", "offline"]);
  assert.equal(broker.sinceOf("capture"), NOW - 5);
  broker.update({ ...known, broker: { disconnected_since: NOW + 26 } });
  assert.deepEqual([states(), broker.sinceOf("capture")], [["unknown", "unknown"], null]);
  broker.update(known);
  assert.deepEqual([states(), broker.justReconnected], [["running", "offline"], true]);
  clock.now += 31;
  assert.deepEqual([states(), broker.justReconnected], [["silent", "offline"], false]);
});

test("only changes are announced", () => {
  const [broker, clock, site] = parts();
  const changes = new Changes(broker, clock, site);
  for (const [values, ...expected] of [
    [{ modules: {} }],
    [{ modules: { counter: module("starting") } }],
    [{}], // all run
    [only("counter", "offline", { detail: "connection lost" }), "counter: offline: it crashed or lost its connection to the broker"],
    [{}, "counter: running"],
    [SILENT, "camera door: silent"],
    [{ cameras: { door: camera("offline") } }, "camera door: offline"],
    [{ ...SILENT, broker: { disconnected_since: NOW } }, "broker: disconnected"],
    [{}, "broker: connected"],
  ]) {
    broker.update(state(values));
    assert.deepEqual(changes.update(state(values)), expected);
  }
});

const label = (name, probability) => ({ name, probability, visitor: true });
const nobody = (name, probability) => ({ ...label(name, probability), visitor: false });
const thing = (confidence, ...labels) => ({ box: [0, 0, 1, 1], confidence, labels });

for (const [labels, kind, text, share, detections] of [
  [null, "none", "not classified", ""],
  [[], "nobody", "nobody", ""],
  [[], "nobody", "nobody", "", [thing(0.9, nobody("chair", 0.9)), thing(0.4)]],
  [[], "unsure", "visitor", "", [thing(0.4), thing(0.62), thing(0.9, nobody("chair", 0.9))]],
  [[], "seen", "man", "", [thing(0.9, nobody("chair", 0.9)), thing(0.8), thing(0.7, label("man", 0.6), label("boy", 0.3))]],
  [[label("man", 0.4), label("woman", 0.5)], "seen", "woman", "50%"],
  [[label("woman", 0.49)], "unsure", "unsure, perhaps woman", "49%"],
  [[nobody("Nobody", 0.9)], "nobody", "nobody", "90%"],
  [[nobody("[Negative]", 0.3)], "nobody", "nobody ([Negative])", "30%"],
  [[label("nobody", 0.9)], "seen", "nobody", "90%"], // the classifier decides
]) {
  test(`the label of a picture: ${kind} ${text} ${share}`, () => {
    const found = verdict({ prediction: labels && { labels, detections: detections ?? [] }, tracks: null }, { threshold: 0.5 }, new Labels());
    assert.deepEqual([found.kind, found.text, found.share.replace("\u202f", " ")], [kind, text, share]);
  });
}

test("labels get colours in the model's order, and stay distinct beyond the number of colours", () => {
  const colours = new Labels();
  colours.setOrder(["man", "woman"]);
  assert.deepEqual(colours.sorted(["ape", "woman", "man"]), ["man", "woman", "ape"]);
  assert.equal(new Set(Array.from({ length: 32 }, (_, place) => colours.classes(`label ${place}`))).size, 32);
});

test("the main metrics of a module", () => {
  const metrics = { inference_ms: 6.52, frames_in: 9, visits_out: 1, outbox: 7 };
  assert.deepEqual(mainMetrics(module("running", { model: "shop@0123", metrics, rates: { predictions_out: 9.96 } })), [
    "10.0 predictions per second", "6.5\u00a0ms each", "shop@0123", "1 visit since it started", "7 results waiting to be forwarded",
  ]);
});

test("names that the page does not know are shown in plain words", () => {
  for (const words of [cameraWords("on_fire"), moduleWords("on-fire")]) assert.deepEqual(words, { text: "on fire", severity: "warn", advice: "" });
  assert.deepEqual([cameraWords("constructor").severity, moduleWords("__proto__").severity], ["warn", "warn"]);
  assert.deepEqual([metricName("new_metric"), dropWords("dropped_at_random"), metricName("dropped_old")], ["new metric", "at random", "dropped too old"]);
});

test("dropped frames are listed with their reasons, those of all cameras as such", () => {
  const drops = [{ by: "capture", reason: "dropped_offline", count: 1 }, { by: "classifier", reason: "dropped_old", count: 1234 }];
  assert.equal(dropsText([{ ...drops[0], count: 0 }], false), "none");
  assert.equal(dropsText(drops, true), "1 without the broker (capture), 1,234 too old (classifier, all cameras)");
});

test("states and metrics are in the language of the page; what a module words is not", () => {
  speak("de", "de-DE");
  assert.deepEqual([cameraWords("lost").text, moduleWords("silent").text, metricName("dropped_old")], ["ausgefallen", "stumm", "verworfen: zu alt"]);
  assert.deepEqual([metricText("inference_ms", 1234.5), detailWords("unplugged.")], ["1.234,5\u00a0ms", "unplugged"]);
  speak("en", "en-GB");
});
