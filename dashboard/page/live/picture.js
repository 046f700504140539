/** Parses and draws a camera's picture, together with the prediction and the visitors of the same frame. */

/** @import { PictureHeader, Rules } from "../base/messages.js" */
/** @import { Labels } from "../base/labels.js" */

import { boxesOf } from "./boxes.js";
import { text } from "../base/language.js";
import { element, syncChildren, setAttribute, setText } from "../base/elements.js";
import { Plan } from "./plan.js";
import { verdict } from "./verdict.js";

const PREFIX_LENGTH = 4; // bytes that give the length of the JSON header before the JPEG
const MAX_BOXES = 20;

/** @param {ArrayBuffer} bytes @returns {{header: PictureHeader, jpeg: Blob}} */
export function parsePicture(bytes) {
  const length = new DataView(bytes).getUint32(0);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, PREFIX_LENGTH, length)));
  return { header, jpeg: new Blob([new Uint8Array(bytes, PREFIX_LENGTH + length)], { type: "image/jpeg" }) };
}

/** The canvas of one camera, with its label and boxes over it. */
export class Picture {
  #canvas = /** @type {HTMLCanvasElement} */ (element("canvas", { role: "img" }));
  #boxes = element("div", { class: "boxes", "aria-hidden": "true" });
  #swatch = element("span", { class: "swatch" });
  #name = element("span", { class: "name" });
  #share = element("span", { class: "share" });
  #label = element("p", { class: "label" }, this.#swatch, this.#name, this.#share);
  /** The lines and zones of the camera. */
  plan = new Plan();
  /** Holds the elements above, in the size of the picture. */
  frame = element("div", { class: "frame" }, this.#canvas, this.plan.node, this.#boxes, this.#label);
  /** The area in which the picture is centred. */
  node = element("div", { class: "view on-dark" }, this.frame);

  /** @param {string} camera @param {Labels} labels */
  constructor(camera, labels) {
    this.labels = labels;
    this.#context = this.#canvas.getContext("2d", { alpha: false });
    this.#canvas.setAttribute("aria-label", text("picture-of", { camera }));
    this.#label.hidden = true;
  }

  #context;

  /** The picture's width divided by its height. */
  get aspect() {
    return this.#canvas.width / this.#canvas.height;
  }

  /**
   * Decodes off the main thread, then draws in the next animation frame. Picture, label and boxes change together.
   *
   * @param {PictureHeader} header
   * @param {Blob} jpeg
   * @param {Rules} rules
   */
  async draw(header, jpeg, rules) {
    const bitmap = await createImageBitmap(jpeg);
    await new Promise(requestAnimationFrame);
    this.#fit(bitmap.width, bitmap.height);
    this.#context?.drawImage(bitmap, 0, 0);
    bitmap.close();
    this.#showLabel(header, rules);
    this.#canvas.dataset.sequence = String(header.sequence);
    this.#canvas.dataset.capturedAt = String(header.captured_at);
    this.#canvas.dispatchEvent(new CustomEvent("drawn", { detail: header, bubbles: true }));
  }

  /** @param {number} width @param {number} height */
  #fit(width, height) {
    if (this.#canvas.width === width && this.#canvas.height === height) return;
    Object.assign(this.#canvas, { width, height });
    this.node.style.setProperty("--ratio", String(width / height));
  }

  /** @param {PictureHeader} header @param {Rules} rules */
  #showLabel(header, rules) {
    const { kind, name, text: shown, share } = verdict(header, rules, this.labels);
    setText(this.#name, shown);
    setText(this.#share, share);
    setAttribute(this.#swatch, "class", kind === "seen" ? `swatch ${this.labels.classes(name)}` : "swatch nobody");
    this.#label.hidden = false;
    this.#label.dataset.kind = kind;
    this.#label.dataset.label = name;
    this.#label.dataset.sequence = String(header.sequence);
    this.#showBoxes(header, rules);
  }

  /** Draws the visitors. @param {PictureHeader} header @param {Rules} rules */
  #showBoxes(header, rules) {
    const shown = boxesOf(header, rules, this.labels).slice(0, MAX_BOXES);
    const nodes = syncChildren(
      this.#boxes,
      shown.map(({ key }) => key),
      createBox,
    );
    for (const [index, { box, label, name, note, isFollowed }] of shown.entries()) {
      const [left, top, width, height] = box.map((part) => `${(100 * part).toFixed(2)}%`);
      Object.assign(nodes[index].style, { left, top, width, height });
      const look = isFollowed ? "box followed" : "box";
      setAttribute(nodes[index], "class", label === null ? look : `${look} ${this.labels.classes(label)}`);
      const [title] = nodes[index].children;
      setText(title.children[0], name);
      setText(title.children[1], note);
    }
  }
}

function createBox() {
  return element("div", {}, element("p", {}, element("span", { class: "name" }), " ", element("span", { class: "note" })));
}
