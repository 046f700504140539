/** Wires the page: passes messages from the connection to the views whose sections have changed. */

/** @import { Site, State } from "./base/messages.js" */

import { Broker } from "./base/broker.js";
import { Connection } from "./base/connection.js";
import { byId, setAttribute, setShown, setText } from "./base/elements.js";
import { Labels } from "./base/labels.js";
import { isLocaleCurrent, loaded, offerLanguages, startLanguage, text } from "./base/language.js";
import { Clock, SiteTime } from "./base/times.js";
import { Counts } from "./counts/counts.js";
import { demoText } from "./counts/demo.js";
import { OccupancyList } from "./counts/occupancy.js";
import { Summary } from "./counts/summary.js";
import { Live } from "./live/live.js";
import { showMatrices } from "./live/matrix.js";
import { Reports } from "./reports/reports.js";
import { Editor } from "./setup/editor.js";
import { Cameras } from "./system/cameras.js";
import { Changes } from "./system/changes.js";
import { Modules } from "./system/modules.js";
import { SiteForm } from "./system/site-form.js";
import { followAddress } from "./views.js";

const firstSite = await start();

/** @type {State} */
const state = {
  now: 0,
  page: "",
  version: "",
  site: firstSite,
  signed_in: false,
  may_set_up: false,
  rules: { threshold: 0 },
  labels: [],
  model_classes: [],
  visitor_labels: [],
  setups: {},
  setup_defaults: { lines: [], zones: [], alerts: [] },
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
const labels = new Labels();
const colours = new CSSStyleSheet();
document.adoptedStyleSheets = [colours];
const address = new URL("/live", location.href);
address.protocol = address.protocol.replace("http", "ws");
const connection = new Connection(address.href, { onMessage, onPicture: (bytes) => live.onPicture(bytes), onChange, signIn });
const live = new Live(
  (camera) => connection.requestPicture(camera),
  labels,
  broker,
  site,
  (card) => editor.open(card.name, card.picture),
);
const counts = new Counts(labels, broker, clock, site, signIn);
const reports = new Reports(labels, clock, site, signIn);
const modules = new Modules(broker, clock, site);
const cameras = new Cameras(broker);
const siteForm = new SiteForm(labels, signIn);
const changes = new Changes(broker, clock, site);
const summary = new Summary(broker, clock, site);
const occupancy = new OccupancyList(broker, clock, site);
const editor = new Editor(
  labels,
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
  [["labels"], () => labels.setOrder(state.labels)],
  [["site"], () => state.site && showSite(state.site)],
  [["today"], () => site.setZone(state.today.report?.zone ?? "")],
  [["broker", "cameras", "modules", "labels", "rules", "site"], () => live.show(state)],
  [["cameras", "setups", "setup_defaults", "may_set_up"], () => live.showSetups(state)],
  [["broker", "cameras", "setups", "setup_defaults", "model_classes", "visitor_labels", "site"], () => editor.show(state)],
  [["today", "labels", "setups", "setup_defaults", "site"], () => counts.show(state)],
  [["broker", "cameras", "modules"], () => counts.showInside(state)],
  [["broker", "cameras", "modules", "today", "setups", "setup_defaults"], () => occupancy.show(state)],
  [["today", "labels", "cameras", "setups", "setup_defaults", "site"], () => reports.show(state)],
  [["today", "cameras"], showDemo],
  [["broker", "modules", "pixels", "site"], () => showMatrices(state, broker.disconnected, labels)],
  [["broker", "modules"], () => modules.show(state.modules)],
  [["broker", "cameras"], () => cameras.show(state)],
  [["site", "labels", "may_set_up"], () => siteForm.show(state)],
  [["version"], () => setText(byId("version"), text("version", { version: state.version }))],
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

/** Loads the language of the page, and returns the site. Loads the page again if the server does not respond. @returns {Promise<Site>} */
async function start() {
  try {
    const site = await (await loaded("/site")).json();
    await startLanguage(site.locale ?? "");
    return site;
  } catch (error) {
    document.querySelector("script[type=module]")?.dispatchEvent(new Event("error")); // index.html reloads the page
    throw error;
  }
}

/** Shows the names of the place and of its labels. @param {Site} newSite */
function showSite({ name, labels: own }) {
  setText(byId("site-title"), name ?? text("title"));
  labels.setNames(own);
  colours.replaceSync(labels.sheet);
  showLocale();
}

/** Shows the page anew if the site's locale was changed, unless somebody is changing something. */
function showLocale() {
  const isEditing = /** @type {HTMLDialogElement} */ (byId("setup")).open || siteForm.isChanged;
  if (state.site && !isLocaleCurrent(state.site.locale ?? "") && !isEditing) location.reload();
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
    if (hasConnected) changes.announce(text("connection-again"));
    hasConnected = true;
    live.connected();
    showOverview();
  } else if (now === "connecting") summary.display("idle", text("connecting-to"), "");
  else if (now === "disconnected") onDisconnect();
  else if (now === "refused") summary.display("bad", text("connection-refused-page"), text("connection-refused-advice"));
  showConnection();
}

function onDisconnect() {
  lostAt = clock.now;
  const time = site.withViewerTime(lostAt);
  const advice = hasConnected ? text("connection-old-advice", { time }) : text("connection-none-advice");
  summary.display("bad", text("connection-not"), advice);
  changes.announce(text("connection-lost"));
}

/** Shows the state of the connection in words. */
function showConnection() {
  const { state: now } = connection;
  setText(byId("connection"), connectionText());
  setAttribute(byId("connection"), "data-state", now);
  setShown(byId("try-now"), now === "disconnected" || now === "refused");
}

function connectionText() {
  const { state: now, reason, secondsToRetry: seconds } = connection;
  if (now === "refused" && reason) return text("connection-refused-because", { reason });
  if (now !== "disconnected") return text(`connection-${now}`);
  return text(seconds ? "connection-retry" : "connection-retrying", { seconds, time: site.withViewerTime(lostAt) });
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
  cameras.tick();
  showLocale();
  occupancy.show(state);
  counts.tick();
  reports.tick();
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
offerLanguages(/** @type {HTMLSelectElement} */ (byId("language")));
showSite(firstSite);
followAddress((view) => reports.onView(view === "reports"));
onChange();
connection.open();
