/** The card of one camera: its picture, who is there, how it fares. */

/** @import { Camera, Drop, PictureHeader, Rules } from "./messages.js" */
/** @import { LabelColours } from "./colours.js" */
/** @import { Clock, SiteTime } from "./times.js" */

import { element, setAttribute, setShown, setText } from "./elements.js";
import { Picture } from "./picture.js";
import { age } from "./times.js";
import { cameraWords, dropWords, grouped, rate } from "./words.js";

const OLD = 3; // seconds: a picture that stands still for longer says so by its looks
const STEADY = 500; // milliseconds for which a figure stays readable before it changes

export class CameraCard {
  /** @type {Camera | null} */
  #camera = null;
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

  /** @param {string} name @param {LabelColours} colours @param {Clock} clock @param {SiteTime} site */
  constructor(name, colours, clock, site) {
    this.colours = colours;
    this.clock = clock;
    this.site = site;
    this.picture = new Picture(name, colours);
    const heading = element("header", {}, element("h3", {}, name), this.#state, this.#who);
    this.picture.frame.append(this.#veil);
    const figures = element("dl", { class: "figures" }, this.#frames, this.#predictions, this.#old);
    this.node = element("article", { class: "camera", "data-camera": name }, heading, this.picture.node, figures, this.#drops);
    this.node.setAttribute("aria-label", `Camera ${name}`);
  }

  /** @param {PictureHeader} header @param {Blob} jpeg @param {Rules} rules @param {number} arrivedAt by performance.now() */
  async draw(header, jpeg, rules, arrivedAt) {
    await this.picture.draw(header, jpeg, rules);
    const first = !this.#age.known;
    Object.assign(this.#age, { seconds: header.age, at: arrivedAt, known: true });
    if (performance.now() - this.#age.shownAt >= STEADY) this.tick();
    if (first) this.#cover();
  }

  /** @param {Camera} camera */
  show(camera) {
    this.#camera = camera;
    this.node.dataset.state = camera.state;
    setText(this.#state, cameraWords(camera.state).text);
    setAttribute(this.#state, "data-weight", cameraWords(camera.state).weight);
    setText(value(this.#frames), rate(camera.frames_per_second));
    setText(value(this.#predictions), rate(camera.predictions_per_second));
    setText(this.#drops, dropsText(camera.dropped));
    this.#tellWho(camera);
    this.#cover();
  }

  /** What changes with time alone. */
  tick() {
    const { seconds, at, known } = this.#age;
    const old = seconds + (performance.now() - at) / 1000;
    this.#age.shownAt = performance.now();
    setText(value(this.#old), known ? age(old) : "–");
    this.node.classList.toggle("old", known && old > OLD);
  }

  /** @param {Camera} camera */
  #tellWho({ state, label, label_since: since }) {
    const there = state === "live" && label !== null;
    setShown(this.#who, state === "live");
    setText(
      this.#who,
      there ? `${label} is there${since === null ? "" : ` since ${this.site.seconds(since)}`}` : "nobody is there",
    );
    setAttribute(this.#who, "class", there ? `who there ${this.colours.classes(label)}` : "who");
  }

  /** A picture that is not of now is greyed, and what is the matter stands over it. */
  #cover() {
    if (!this.#camera) return;
    const { state, since, detail } = this.#camera;
    const { text, advice } = cameraWords(state);
    const waiting = state === "live";
    setShown(this.#veil, !waiting || !this.#age.known);
    setText(this.#title, waiting ? "Waiting for the first picture" : `Camera ${text}`);
    const when = since === null ? "" : `since ${this.site.since(since, this.clock.now)}`;
    setText(this.#why, waiting ? "" : [when, detail].filter(Boolean).join(": "));
    setText(this.#advice, advice);
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

/** @param {Drop[]} drops */
function dropsText(drops) {
  const said = drops
    .filter(({ count }) => count > 0)
    .map(({ by, reason, count }) => `${grouped(count)} ${dropWords(reason)} (${by})`);
  return said.length ? `Left out so far: ${said.join(", ")}` : "Nothing left out";
}
