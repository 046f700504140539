/** The card of one camera: its picture, who is there, how it fares. */

/** @import { Camera, Drop, PictureHeader, Rules } from "./messages.js" */
/** @import { LabelColours } from "./colours.js" */
/** @import { Broker } from "./broker.js" */
/** @import { SiteTime } from "./times.js" */

import { element, setAttribute, setShown, setText } from "./elements.js";
import { Picture } from "./picture.js";
import { age } from "./times.js";
import { BROKER_AWAY, cameraWords, detailWords, dropWords, grouped, rate } from "./words.js";

const OLD = 3; // seconds: a picture that stands still for longer says so by its looks
const STEADY = 500; // milliseconds for which a figure stays readable before it changes

export class CameraCard {
  /** @type {Camera | null} */
  #camera = null;
  /** Whether the picture that is shown has a prediction. */
  #classified = true;
  #age = { seconds: 0, at: 0, shownAt: -STEADY, known: false };
  #state = element("p", { class: "state" });
  #who = element("p", { class: "who" });
  #title = element("strong");
  #why = element("span", { class: "why" });
  #advice = element("span", { class: "advice" });
  #veil = element("div", { class: "veil" }, this.#title, this.#why, this.#advice);
  #frames = figure("frames a second", "frames");
  #predictions = figure("predictions a second", "predictions");
  #old = figure("age of the picture", "age");
  #drops = element("p", { class: "drops" });

  /** @param {string} name @param {LabelColours} colours @param {Broker} broker @param {SiteTime} site */
  constructor(name, colours, broker, site) {
    this.colours = colours;
    this.broker = broker;
    this.site = site;
    this.picture = new Picture(name, colours);
    const heading = element("header", {}, element("h3", {}, name), this.#state, this.#who);
    this.picture.frame.append(this.#veil);
    const metrics = element("dl", { class: "metrics" }, this.#frames, this.#predictions, this.#old);
    this.node = element("article", { class: "camera", "data-camera": name }, heading, this.picture.node, metrics, this.#drops);
    this.node.setAttribute("aria-label", `Camera ${name}`);
  }

  /** @param {PictureHeader} header @param {Blob} jpeg @param {Rules} rules @param {number} arrivedAt by performance.now() */
  async draw(header, jpeg, rules, arrivedAt) {
    await this.picture.draw(header, jpeg, rules);
    this.#classified = header.prediction !== null;
    const first = !this.#age.known;
    Object.assign(this.#age, { seconds: header.age, at: arrivedAt, known: true });
    if (performance.now() - this.#age.shownAt >= STEADY) this.tick();
    if (first) this.#cover();
  }

  /** @param {Camera} camera @param {boolean} several whether there are others too */
  show(camera, several) {
    this.#camera = camera;
    this.node.dataset.state = camera.state;
    const { away } = this.broker;
    const { text, weight } = away ? BROKER_AWAY : cameraWords(camera.state);
    setText(this.#state, text);
    setAttribute(this.#state, "data-weight", weight);
    setText(value(this.#frames), rate(away ? null : camera.frames_per_second));
    setText(value(this.#predictions), rate(away ? null : camera.predictions_per_second));
    setText(this.#drops, dropsText(camera.dropped, several));
    this.#showWho();
    this.#cover();
  }

  /** What changes with time alone. */
  tick() {
    const { seconds, at, known } = this.#age;
    const old = seconds + (performance.now() - at) / 1000;
    this.#age.shownAt = performance.now();
    setText(value(this.#old), known ? age(old) : "–");
    this.node.classList.toggle("old", known && old > OLD);
    this.#showWho();
  }

  /** The visit of now, as the counter says: a picture's own label comes before it and goes before it. */
  #showWho() {
    if (!this.#camera) return;
    const { state, label, label_since: since } = this.#camera;
    const there = label !== null;
    setShown(this.#who, state === "live" && this.broker.reports("counter") && (there || this.#classified));
    setText(this.#who, there ? `visit: ${label}${since === null ? "" : ` since ${this.site.seconds(since)}`}` : "no visit now");
    setAttribute(this.#who, "class", there ? `who there ${this.colours.classes(label)}` : "who");
  }

  /** A picture that is not of now is greyed, and what is the matter stands over it. */
  #cover() {
    if (!this.#camera) return;
    const { state, since, detail } = this.#camera;
    const { away, clock } = this.broker;
    const { text, advice } = cameraWords(state);
    const waiting = state === "live" && !away;
    setShown(this.#veil, !waiting || !this.#age.known);
    setText(this.#title, waiting ? "Waiting for the first picture" : away ? "The broker is away" : `Camera ${text}`);
    const when = since === null ? "" : `since ${this.site.since(since, clock.now)}`;
    setText(this.#why, waiting ? "" : [when, detailWords(detail)].filter(Boolean).join(": "));
    setText(this.#advice, away ? BROKER_AWAY.advice : advice);
  }
}

/** @param {string} name @param {string} kind */
function figure(name, kind) {
  return element("div", {}, element("dt", {}, name), element("dd", { class: kind }, "–"));
}

/** @param {HTMLElement} made by `figure` */
function value(made) {
  return made.children[1];
}

/** What others than its capture left out, they left out of all cameras. @param {Drop[]} drops @param {boolean} several */
function dropsText(drops, several) {
  const who = (/** @type {string} */ by) => (several && !by.startsWith("capture") ? `${by}, all cameras` : by);
  const said = drops
    .filter(({ count }) => count > 0)
    .map(({ by, reason, count }) => `${grouped(count)} ${dropWords(reason)} (${who(by)})`);
  return said.length ? `Left out so far: ${said.join(", ")}` : "Nothing left out";
}
