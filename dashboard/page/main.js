/** Wires the page: passes messages from the connection to the views whose sections have changed. */

/** @import { State } from "./messages.js" */

import { Broker } from "./broker.js";
import { Changes } from "./changes.js";
import { LabelColours } from "./colours.js";
import { Connection } from "./connection.js";
import { Counts } from "./counts.js";
import { demoText } from "./demo.js";
import { Editor } from "./editor.js";
import { byId, setAttribute, setShown, setText } from "./elements.js";
import { Live } from "./live.js";
import { showMatrices } from "./matrix.js";
import { Modules } from "./modules.js";
import { Places } from "./places.js";
import { Summary } from "./summary.js";
import { Clock, SiteTime } from "./times.js";

/** @type {State} */
const state = {
  now: 0,
  page: "",
  signed_in: false,
  may_set_up: false,
  rules: { threshold: 0 },
  labels: [],
  model_classes: [],
  visitor_labels: [],
  setups: {},
  setup_defaults: { lines: [], zones: [] },
  cameras: {},
  modules: {},
  pixels: {},
  broker: { disconnected_since: null },
  today: { problem: "", report: null },
};
/** Each section of the state as JSON, to detect changes. @type {Map<string, string>} */
const texts = new Map();
const RENEW_INTERVAL = 6 * 3600_000; // milliseconds
let lostAt = 0;
let hasConnected = false;

const clock = new Clock();
const site = new SiteTime();
const broker = new Broker(clock);
const colours = new LabelColours();
const address = new URL("/live", location.href);
address.protocol = address.protocol.replace("http", "ws");
const connection = new Connection(address.href, { onMessage, onPicture: (bytes) => live.onPicture(bytes), onChange, signIn });
const live = new Live(
  (camera) => connection.requestPicture(camera),
  colours,
  broker,
  site,
  (card) => editor.open(card.name, card.picture),
);
const counts = new Counts(colours, clock, site, signIn);
const modules = new Modules(broker, clock, site);
const changes = new Changes(broker, clock, site);
const summary = new Summary(broker, clock, site, colours);
const places = new Places(broker, clock, site);
const editor = new Editor(
  (camera) => live.edit(camera),
  (text) => changes.announce(text),
  signIn,
);

/**
 * The sections that each view depends on, and the function that updates it when one of them has changed.
 * @type {[string[], () => void][]}
 */
const views = [
  [["broker", "modules"], () => broker.update(state)],
  [["labels"], () => colours.setOrder(state.labels)],
  [["today"], () => site.setZone(state.today.report?.zone ?? "")],
  [["broker", "cameras", "modules", "labels", "rules"], () => live.show(state)],
  [["cameras", "setups", "setup_defaults", "may_set_up"], () => live.showSetups(state)],
  [["broker", "cameras", "setups", "setup_defaults", "model_classes", "visitor_labels"], () => editor.show(state)],
  [["today", "labels", "setups", "setup_defaults"], () => counts.show(state)],
  [["broker", "cameras", "modules", "today", "setups", "setup_defaults"], () => places.show(state)],
  [["today", "cameras"], showDemo],
  [["broker", "pixels"], () => showMatrices(state.pixels, broker.disconnected)],
  [["broker", "modules"], () => modules.show(state.modules)],
  [["signed_in"], () => setShown(byId("sign-out"), state.signed_in)],
];

/** @param {string} text */
function onMessage(text) {
  const { now, ...sections } = JSON.parse(text);
  clock.set(now);
  if (sections.page && state.page && sections.page !== state.page) location.reload(); // Footfall was updated
  const changed = new Set(Object.keys(sections).filter((name) => hasChanged(name, sections[name])));
  Object.assign(state, sections);
  for (const [names, show] of views) if (names.some((name) => changed.has(name))) runSafely(show);
  if (changed.size) runSafely(showOverview);
}

function showDemo() {
  setText(byId("demo"), demoText(state));
  setShown(byId("demo"), byId("demo").textContent !== "");
}

/** Updates a view. An error does not prevent the update of the others. @param {() => void} show */
function runSafely(show) {
  try {
    show();
  } catch (error) {
    console.error(error);
  }
}

/** @param {string} name @param {unknown} value */
function hasChanged(name, value) {
  const text = JSON.stringify(value);
  if (texts.get(name) === text) return false;
  texts.set(name, text);
  return true;
}

/** Shows the summary and the last changes. */
function showOverview() {
  if (connection.state !== "connected") return;
  changes.show(state);
  summary.show(state);
}

/** Shows the new state of the connection. */
function onChange() {
  const { state: now } = connection;
  document.documentElement.dataset.connection = now;
  if (now === "connected") {
    if (hasConnected) changes.announce("Connected to Footfall again");
    hasConnected = true;
    live.connected();
    showOverview();
  } else if (now === "connecting") summary.display("idle", "Connecting to Footfall…", "");
  else if (now === "disconnected") onDisconnect();
  else if (now === "refused")
    summary.display("bad", "Footfall refused this page.", "Open it at the address that Footfall prints when it starts.");
  showConnection();
}

function onDisconnect() {
  lostAt = clock.now;
  const age = hasConnected ? `The data below is from ${site.withViewerTime(lostAt)}.` : "There is no data yet.";
  summary.display("bad", "This page is not connected to Footfall.", `${age} Is Footfall running, and can this device reach it?`);
  changes.announce("Connection to Footfall lost");
}

/** Shows the state of the connection in words. */
function showConnection() {
  const { state: now, reason, secondsToRetry } = connection;
  const retry = secondsToRetry ? `retrying in ${secondsToRetry} s` : "retrying now";
  const texts = {
    connecting: "Connecting…",
    connected: "Connected",
    disconnected: `Not connected to Footfall since ${site.withViewerTime(lostAt)}; ${retry}`,
    refused: `Refused${reason ? `: ${reason}` : ""}`,
  };
  setText(byId("connection"), texts[now]);
  setAttribute(byId("connection"), "data-state", now);
  setShown(byId("try-now"), now === "disconnected" || now === "refused");
}

function signIn() {
  location.assign("/sign-in");
}

/** Updates the clocks and everything that ages without a message. Called every second. */
function tick() {
  connection.tick();
  showConnection();
  if (document.hidden) return;
  live.tick();
  setText(byId("clock"), hasConnected ? site.minutes(clock.now) : "");
  setText(byId("viewer-clock"), hasConnected ? site.viewerTime(clock.now) : "");
  if (connection.state !== "connected") return;
  modules.tick();
  places.show(state);
  counts.tick();
  showOverview();
}

/** Scrolls opened details into view. @param {Event} event */
function onToggle({ target }) {
  if (target instanceof HTMLDetailsElement && target.open) target.scrollIntoView({ block: "nearest" });
}

document.addEventListener("toggle", onToggle, true);
byId("try-now").addEventListener("click", () => connection.open());
addEventListener("online", () => connection.reconnect());
document.addEventListener("visibilitychange", () => document.hidden || connection.reconnect());
setInterval(tick, 1000);
// keeps an open page signed in: a request renews the session cookie, an open WebSocket does not
setInterval(() => state.signed_in && fetch("/", { cache: "no-store" }).catch(() => {}), RENEW_INTERVAL);
onChange();
connection.open();
