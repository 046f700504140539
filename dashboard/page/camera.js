/** The card of one camera: its picture, the current visit, its state and metrics. */

/** @import { Camera, Drop, PictureHeader, Rules } from "./messages.js" */
/** @import { LabelColours } from "./colours.js" */
/** @import { Broker } from "./broker.js" */
/** @import { Shape } from "./shapes.js" */
/** @import { SiteTime } from "./times.js" */

import { showAlerts } from "./alerts.js";
import { element, setAttribute, setShown, setText } from "./elements.js";
import { Picture } from "./picture.js";
import { age } from "./times.js";
import { BROKER_DISCONNECTED, STILL, cameraWords, detailWords, dropWords, grouped, rate } from "./words.js";

const OLD_AFTER = 3; // seconds after which a picture is marked as old
const MIN_READABLE = 500; // milliseconds that a number stays before it changes

export class CameraCard {
  /** @type {Camera | null} */
  #camera = null;
  /** Whether the current picture has a prediction. */
  #classified = true;
  #age = { seconds: 0, at: 0, shownAt: -MIN_READABLE, known: false };
  #state = element("p", { class: "state" });
  #visit = element("p", { class: "who" });
  #alerts = element("ul", { class: "alerts", role: "status" });
  #title = element("strong");
  #why = element("span", { class: "why" });
  #advice = element("span", { class: "advice" });
  #overlay = element("div", { class: "overlay" }, this.#title, this.#why, this.#advice);
  #frames = figure("frames per second", "frames");
  #predictions = figure("predictions per second", "predictions");
  #pictureAge = figure("picture age", "age");
  #drops = element("p", { class: "drops" });
  #setUp = element("button", { type: "button", class: "set-up" }, "Set up");
  /** @type {Shape[]} */
  #shapes = [];

  /**
   * @param {string} name
   * @param {LabelColours} colours
   * @param {Broker} broker
   * @param {SiteTime} site
   * @param {(card: CameraCard) => void} setUp is called when a person wants to set up the camera
   */
  constructor(name, colours, broker, site, setUp) {
    this.name = name;
    this.colours = colours;
    this.broker = broker;
    this.site = site;
    this.picture = new Picture(name, colours);
    const heading = element("header", {}, element("h3", {}, name), this.#state, this.#visit, this.#setUp);
    this.#setUp.setAttribute("aria-label", `Set up camera ${name}: lines, zones, masks`);
    this.#setUp.addEventListener("click", () => setUp(this));
    this.picture.frame.append(this.#overlay);
    const metrics = element("dl", { class: "metrics" }, this.#frames, this.#predictions, this.#pictureAge);
    this.node = element("article", { class: "camera", "data-camera": name }, heading, this.#alerts);
    this.node.append(this.picture.node, metrics, this.#drops);
    this.node.setAttribute("aria-label", `Camera ${name}`);
  }

  /** @param {PictureHeader} header @param {Blob} jpeg @param {Rules} rules @param {number} arrivedAt by performance.now() */
  async draw(header, jpeg, rules, arrivedAt) {
    await this.picture.draw(header, jpeg, rules);
    this.#classified = header.prediction !== null;
    this.#showPlan();
    const first = !this.#age.known;
    Object.assign(this.#age, { seconds: header.age, at: arrivedAt, known: true });
    if (performance.now() - this.#age.shownAt >= MIN_READABLE) this.tick();
    if (first) this.#showOverlay();
  }

  /** @param {Camera} camera @param {boolean} several whether the site has several cameras */
  show(camera, several) {
    this.#camera = camera;
    this.node.dataset.state = camera.state;
    const { disconnected } = this.broker;
    const { text, severity } = disconnected ? BROKER_DISCONNECTED : camera.still ? STILL : cameraWords(camera.state);
    setText(this.#state, text);
    setAttribute(this.#state, "data-severity", severity);
    setText(value(this.#frames), rate(disconnected ? null : camera.frames_per_second));
    setText(value(this.#predictions), rate(disconnected ? null : camera.predictions_per_second));
    setText(this.#drops, dropsText(camera.dropped, several));
    const alerts = this.broker.isReporting("counter") ? camera.alerts : [];
    showAlerts(this.#alerts, alerts, (time) => this.site.since(time, this.broker.clock.now));
    this.#showVisit();
    this.#showOverlay();
    this.#showPlan();
  }

  /** @param {Shape[]} shapes @param {boolean} mayChange */
  showSetup(shapes, mayChange) {
    this.#shapes = shapes;
    setShown(this.#setUp, mayChange);
    this.#showPlan();
  }

  /** Whether there is anything to draw over the picture. */
  get hasPlan() {
    return this.#shapes.length > 0;
  }

  #showPlan() {
    const zones = Object.entries((this.broker.isReporting("counter") && this.#camera?.occupancy?.zones) || {});
    const notes = Object.fromEntries(zones.map(([zone, visitors]) => [zone, String(visitors)]));
    this.picture.plan.show(this.#shapes, this.picture.aspect, notes);
  }

  /** Updates what changes without a message. Called every second. */
  tick() {
    const { at, known } = this.#age;
    const seconds = this.#age.seconds + (performance.now() - at) / 1000;
    this.#age.shownAt = performance.now();
    setText(value(this.#pictureAge), known ? age(seconds) : "–");
    this.node.classList.toggle("old", known && seconds > OLD_AFTER && !this.#camera?.still);
    this.#showVisit();
  }

  /**
   * Shows the current visit, which the counter reports: a picture's own label begins and ends earlier. With a detector it is that
   * of the visitor who came last.
   */
  #showVisit() {
    if (!this.#camera) return;
    const { state, label, label_since: since, whole_pictures: isOnlyOne } = this.#camera;
    const isPresent = label !== null;
    setShown(this.#visit, state === "live" && this.broker.isReporting("counter") && (isPresent || this.#classified));
    const when = since === null ? "" : ` since ${this.site.seconds(since)}`;
    setText(this.#visit, isPresent ? `${isOnlyOne ? "visit" : "last"}: ${label}${when}` : "no current visit");
    setAttribute(this.#visit, "class", isPresent ? `who there ${this.colours.classes(label)}` : "who");
  }

  /** Covers a picture that is not live with an explanation. */
  #showOverlay() {
    if (!this.#camera) return;
    const { state, since, detail } = this.#camera;
    const { disconnected, clock } = this.broker;
    const { text, advice } = cameraWords(state);
    const isLive = state === "live" && !disconnected;
    setShown(this.#overlay, !isLive || !this.#age.known);
    const title = isLive ? "Waiting for the first picture" : `Camera ${text}`;
    setText(this.#title, disconnected ? "No connection to the broker" : title);
    const when = since === null ? "" : `since ${this.site.since(since, clock.now)}`;
    setText(this.#why, isLive ? "" : [when, detailWords(detail)].filter(Boolean).join(": "));
    setText(this.#advice, disconnected ? BROKER_DISCONNECTED.advice : advice);
  }
}

/** @param {string} name @param {string} kind */
function figure(name, kind) {
  return element("div", {}, element("dt", {}, name), element("dd", { class: kind }, "–"));
}

/** @param {HTMLElement} figure */
function value(figure) {
  return figure.children[1];
}

/** Lists dropped frames; other modules than capture drop those of all cameras. @param {Drop[]} drops @param {boolean} several */
function dropsText(drops, several) {
  const module = (/** @type {string} */ by) => (several && !by.startsWith("capture") ? `${by}, all cameras` : by);
  const parts = drops
    .filter(({ count }) => count > 0)
    .map(({ by, reason, count }) => `${grouped(count)} ${dropWords(reason)} (${module(by)})`);
  return parts.length ? `Frames dropped: ${parts.join(", ")}` : "No frames dropped";
}
