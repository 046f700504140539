/** The card of one camera: its picture, the current visit, its state and alerts. */

/** @import { Camera, PictureHeader, Rules } from "../base/messages.js" */
/** @import { Labels } from "../base/labels.js" */
/** @import { Broker } from "../base/broker.js" */
/** @import { Shape } from "./shapes.js" */
/** @import { SiteTime } from "../base/times.js" */

import { text } from "../base/language.js";
import { showAlerts } from "./alerts.js";
import { element, setAttribute, setShown, setText } from "../base/elements.js";
import { Picture } from "./picture.js";
import { age } from "../base/times.js";
import { cameraWords, detailWords } from "../base/words.js";

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
  #pictureAge = element("p", { class: "age" });
  #setUp = element("button", { type: "button", class: "set-up" }, text("set-up"));
  /** @type {Shape[]} */
  #shapes = [];

  /**
   * @param {string} name
   * @param {Labels} labels
   * @param {Broker} broker
   * @param {SiteTime} site
   * @param {(card: CameraCard) => void} setUp is called when a person wants to set up the camera
   */
  constructor(name, labels, broker, site, setUp) {
    this.name = name;
    this.labels = labels;
    this.broker = broker;
    this.site = site;
    this.picture = new Picture(name, labels);
    const heading = element("header", {}, element("h3", {}, name), this.#state, this.#visit, this.#setUp);
    this.#setUp.setAttribute("aria-label", text("set-up-camera", { name }));
    this.#setUp.addEventListener("click", () => setUp(this));
    this.picture.frame.append(this.#overlay);
    this.node = element("article", { class: "camera", "data-camera": name }, heading, this.#alerts);
    this.node.append(this.picture.node, this.#pictureAge);
    this.node.setAttribute("aria-label", text("camera-name", { name }));
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

  /** @param {Camera} camera */
  show(camera) {
    this.#camera = camera;
    this.node.dataset.state = camera.state;
    const { disconnected } = this.broker;
    const { text: state, severity } = cameraWords(disconnected ? "unknown" : camera.still ? "still" : camera.state);
    setText(this.#state, state);
    setAttribute(this.#state, "data-severity", severity);
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
    const isOld = known && seconds > OLD_AFTER && !this.#camera?.still;
    setText(this.#pictureAge, isOld ? text("picture-age", { age: age(seconds) }) : "");
    this.node.classList.toggle("old", isOld);
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
    const time = since === null ? "" : this.site.seconds(since);
    const visit = () => text(isOnlyOne ? "current-visit" : "last-visitor", { label: this.labels.name(label ?? ""), time });
    setText(this.#visit, isPresent ? visit() : text("no-current-visit"));
    setAttribute(this.#visit, "class", isPresent ? `who there ${this.labels.classes(label)}` : "who");
  }

  /** Covers a picture that is not live with an explanation. */
  #showOverlay() {
    if (!this.#camera) return;
    const { state, since, detail } = this.#camera;
    const { disconnected, clock } = this.broker;
    const words = cameraWords(disconnected ? "unknown" : state);
    const isLive = state === "live" && !disconnected;
    setShown(this.#overlay, !isLive || !this.#age.known);
    const title = isLive ? text("waiting-for-picture") : text("camera-is", { state: words.text });
    setText(this.#title, disconnected ? text("no-broker") : title);
    const when = since === null ? "" : text("since", { time: this.site.since(since, clock.now) });
    setText(this.#why, isLive ? "" : [when, detailWords(detail)].filter(Boolean).join(": "));
    setText(this.#advice, words.advice);
  }
}
