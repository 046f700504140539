/** The table of cameras: their states, rates and dropped frames. */

/** @import { Camera, Drop, State } from "../base/messages.js" */
/** @import { Broker } from "../base/broker.js" */

import { number, text } from "../base/language.js";
import { byId, element, setAttribute, setShown, setText, syncChildren } from "../base/elements.js";
import { duration } from "../base/times.js";
import { cameraWords, dropWords, rate } from "../base/words.js";

const RECENT = 3; // seconds

export class Cameras {
  /** @type {Record<string, Camera>} */
  #cameras = {};

  /** @param {Broker} broker */
  constructor(broker) {
    this.broker = broker;
  }

  /** @param {State} state */
  show({ cameras }) {
    this.#cameras = cameras;
    setShown(byId("system-cameras"), Object.keys(cameras).length > 0);
    this.tick();
  }

  /** Updates what ages without a message. Called every second. */
  tick() {
    const names = Object.keys(this.#cameras).sort();
    const rows = syncChildren(byId("camera-rows"), names, createRow);
    rows.forEach((row, index) => this.#showRow(row, this.#cameras[names[index]], names.length > 1));
  }

  /** @param {HTMLElement} row @param {Camera} camera @param {boolean} several whether the site has several cameras */
  #showRow(row, camera, several) {
    const { disconnected, clock } = this.broker;
    const { text: state, severity } = cameraWords(disconnected ? "unknown" : camera.still ? "still" : camera.state);
    const [, badge, frames, predictions, predicted, dropped] = row.children;
    setText(badge.children[0], state);
    setAttribute(badge.children[0], "data-severity", severity);
    setText(frames, rate(disconnected ? null : camera.frames_per_second));
    setText(predictions, rate(disconnected ? null : camera.predictions_per_second));
    setText(predicted, camera.predicted_at === null ? "–" : agoText(Math.floor(clock.now - camera.predicted_at)));
    setText(dropped, dropsText(camera.dropped, several));
  }
}

/** @param {string} name */
function createRow(name) {
  const cells = ["number", "number", "number", "drops"].map((kind) => element("td", { class: kind }));
  const badge = element("td", {}, element("span", { class: "badge" }));
  return element("tr", {}, element("th", { scope: "row" }, name), badge, ...cells);
}

/** @param {number} seconds */
function agoText(seconds) {
  return seconds < RECENT ? text("system-now") : text("system-ago", { duration: duration(seconds) });
}

/** Lists dropped frames; other modules than capture drop those of all cameras. @param {Drop[]} drops @param {boolean} several */
export function dropsText(drops, several) {
  const parts = drops
    .filter(({ count }) => count > 0)
    .map(({ by, reason, count }) => {
      const values = { frames: number(count), why: dropWords(reason), module: by };
      return text(several && !by.startsWith("capture") ? "system-dropped-all" : "system-dropped", values);
    });
  return parts.join(", ") || text("system-dropped-none");
}
