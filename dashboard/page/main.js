/** Wires the page: what the connection gets goes to the views whose part has changed. */

/** @import { State } from "./messages.js" */

import { Broker } from "./broker.js";
import { Changes } from "./changes.js";
import { LabelColours } from "./colours.js";
import { Connection } from "./connection.js";
import { Counts } from "./counts.js";
import { demoText } from "./demo.js";
import { byId, setAttribute, setShown, setText } from "./elements.js";
import { Live } from "./live.js";
import { showMatrices } from "./matrix.js";
import { Modules } from "./modules.js";
import { Summary } from "./summary.js";
import { Clock, SiteTime } from "./times.js";

/** @type {State} */
const state = {
  now: 0,
  page: "",
  signed_in: false,
  rules: { threshold: 0, background: [] },
  labels: [],
  cameras: {},
  modules: {},
  pixels: {},
  broker: { away_since: null },
  today: { problem: "", report: null },
};
/** Each part of the state as text, by which a change is known. @type {Map<string, string>} */
const texts = new Map();
const RENEW_EVERY = 6 * 3600_000; // milliseconds
let lostAt = 0;
let everConnected = false;

const clock = new Clock();
const site = new SiteTime();
const broker = new Broker(clock);
const colours = new LabelColours();
const address = new URL("/live", location.href);
address.protocol = address.protocol.replace("http", "ws");
const connection = new Connection(address.href, { message, picture: (bytes) => live.picture(bytes), changed, signIn });
const live = new Live((camera) => connection.want(camera), colours, broker, site);
const counts = new Counts(colours, clock, site, signIn);
const modules = new Modules(broker, clock, site);
const changes = new Changes(broker, clock, site);
const summary = new Summary(broker, clock, site, colours);

/**
 * What each view is made of, so that it is updated when one of its parts has changed, and only then.
 * @type {[string[], () => void][]}
 */
const views = [
  [["broker", "modules"], () => broker.learn(state)],
  [["labels"], () => colours.learn(state.labels)],
  [["today"], () => site.learn(state.today.report?.zone ?? "")],
  [["broker", "cameras", "modules", "labels", "rules"], () => live.show(state)],
  [["today", "labels"], () => counts.show(state)],
  [["today", "cameras"], showDemo],
  [["broker", "pixels"], () => showMatrices(state.pixels, broker.away)],
  [["broker", "modules"], () => modules.show(state.modules)],
  [["signed_in"], () => setShown(byId("sign-out"), state.signed_in)],
];

/** @param {string} text */
function message(text) {
  const { now, ...news } = JSON.parse(text);
  clock.set(now);
  if (news.page && state.page && news.page !== state.page) location.reload(); // Footfall was updated while it was open
  const changed = new Set(Object.keys(news).filter((part) => isNew(part, news[part])));
  Object.assign(state, news);
  for (const [parts, show] of views) if (parts.some((part) => changed.has(part))) attempt(show);
  if (changed.size) attempt(overview);
}

function showDemo() {
  setText(byId("demo"), demoText(state));
  setShown(byId("demo"), byId("demo").textContent !== "");
}

/** Shows a part of the page; one that cannot be shown does not keep the others from it. @param {() => void} show */
function attempt(show) {
  try {
    show();
  } catch (error) {
    console.error(error);
  }
}

/** @param {string} part @param {unknown} value */
function isNew(part, value) {
  const text = JSON.stringify(value);
  if (texts.get(part) === text) return false;
  texts.set(part, text);
  return true;
}

/** What the whole state comes to; and what has changed in it. */
function overview() {
  if (connection.state !== "connected") return;
  changes.show(state);
  summary.show(state);
}

/** The connection has become another. */
function changed() {
  const { state: now } = connection;
  document.documentElement.dataset.connection = now;
  if (now === "connected") {
    if (everConnected) changes.say("Connected to Footfall again");
    everConnected = true;
    live.connected();
    overview();
  } else if (now === "connecting") summary.display("idle", "Connecting to Footfall…", "");
  else if (now === "disconnected") lost();
  else if (now === "refused")
    summary.display("bad", "Footfall refused this page.", "Open it under the address that Footfall names when it starts.");
  tellConnection();
}

function lost() {
  lostAt = clock.now;
  const then = everConnected ? `What stands below was so at ${site.both(lostAt)}.` : "There is nothing to show yet.";
  summary.display("bad", "This page is not connected to Footfall.", `${then} Is Footfall running, and can this device reach it?`);
  changes.say("Connection to Footfall lost");
}

/** The line's own state in words. */
function tellConnection() {
  const { state: now, reason, secondsToRetry } = connection;
  const retry = secondsToRetry ? `trying again in ${secondsToRetry} s` : "trying again now";
  const texts = {
    connecting: "Connecting…",
    connected: "Connected",
    disconnected: `Connection to Footfall ${everConnected ? "lost" : "not made"} since ${site.both(lostAt)}; ${retry}`,
    refused: `Refused${reason ? `: ${reason}` : ""}`,
  };
  setText(byId("connection"), texts[now]);
  setAttribute(byId("connection"), "data-state", now);
  setShown(byId("try-now"), now === "disconnected" || now === "refused");
}

function signIn() {
  location.assign("/sign-in");
}

/** Once a second: the clocks and all that becomes old without a message. */
function tick() {
  connection.tick();
  tellConnection();
  if (document.hidden) return;
  live.tick();
  setText(byId("clock"), everConnected ? site.minutes(clock.now) : "");
  setText(byId("own-clock"), everConnected ? site.yours(clock.now) : "");
  if (connection.state !== "connected") return;
  modules.tick();
  counts.tick();
  overview();
}

/** What has been opened is to be seen, also in a card that scrolls. @param {Event} event */
function opened({ target }) {
  if (target instanceof HTMLDetailsElement && target.open) target.scrollIntoView({ block: "nearest" });
}

document.addEventListener("toggle", opened, true);
byId("try-now").addEventListener("click", () => connection.open());
addEventListener("online", () => connection.wake());
document.addEventListener("visibilitychange", () => document.hidden || connection.wake());
setInterval(tick, 1000);
// a page that is left open stays signed in: what is fetched renews its cookie, which a connection does only when it is made
setInterval(() => state.signed_in && fetch("/", { cache: "no-store" }).catch(() => {}), RENEW_EVERY);
changed();
connection.open();
