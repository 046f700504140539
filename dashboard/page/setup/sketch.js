/** The picture on which a setup is drawn: with a mouse, with fingers or with keys. */

/** @import { Draft, DraftShape } from "./draft.js" */
/** @import { Point } from "./geometry.js" */
/** @import { Kind } from "../live/shapes.js" */

import { arrowStep } from "../base/arrow-keys.js";
import { byId, element, setAttribute, syncChildren } from "../base/elements.js";
import { text } from "../base/language.js";
import { centre, directionWord, distance, inward, snapped, stepped } from "./geometry.js";
import { cross, position, shapeHandles, target } from "./handles.js";
import { Pen } from "./pen.js";
import { Plan, at } from "../live/plan.js";
import { find } from "../live/shapes.js";

const TOLERANCE = { mouse: 12, touch: 24, pen: 16 }; // pixels
const MIN_DRAG = 0.03; // distance from which pressing, moving and releasing draws a line

/** @typedef {{id: number, point: number | null, last: Point, hasMoved: boolean}} Drag `point` is null while the shape is moved */

export class Sketch {
  #plan = new Plan();
  #handles = element("div", { class: "handles" });
  node = element("div", { class: "sketch" }, this.#plan.node, this.#handles);
  /** The id of the selected shape. @type {number | null} */
  selected = null;
  /** @type {Pen | null} */
  #pen = null;
  /** @type {Drag | null} */
  #drag = null;

  /** @param {() => Draft} draft @param {() => void} changed @param {(text: string) => void} say to screen readers too */
  constructor(draft, changed, say) {
    this.draft = draft;
    this.changed = changed;
    this.say = say;
    this.node.addEventListener("pointerdown", (event) => this.#onDown(event));
    this.node.addEventListener("pointermove", (event) => this.#onMove(event));
    this.node.addEventListener("pointerup", (event) => this.#onUp(event));
    this.node.addEventListener("pointercancel", () => (this.#drag = null));
    this.node.addEventListener("focusin", ({ target }) => this.#select(target));
    this.node.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** The kind of the shape that is drawn now; null if none is. */
  get drawing() {
    return this.#pen?.kind ?? null;
  }

  get #aspect() {
    const { clientWidth, clientHeight } = this.node;
    return clientHeight ? clientWidth / clientHeight : 4 / 3;
  }

  /** Begins to draw a shape. @param {Kind} kind */
  start(kind) {
    this.#pen = new Pen(kind, this.#aspect);
    this.selected = null;
    this.say(text("setup-draw-keys", { hint: this.#pen.hint }));
    this.changed();
    this.#focusCross();
  }

  #focusCross() {
    /** @type {HTMLElement | null} */ (this.#handles.querySelector(".cross"))?.focus();
  }

  /** Stops drawing. @returns {boolean} whether a shape was being drawn */
  cancel() {
    const isDrawing = this.#pen !== null;
    this.#pen = null;
    if (isDrawing) this.#report(text("setup-nothing-added"));
    return isDrawing;
  }

  /** Ends the shape that is drawn, if it has enough points. */
  finish() {
    if (!this.#pen?.isComplete) return this.say(text(this.#pen?.kind === "line" ? "setup-two-ends" : "setup-three-corners"));
    const { kind, points } = this.#pen;
    this.#pen = null;
    const shape = this.draft().add(kind, points);
    this.selected = shape.id;
    const values = { shape: this.draft().nameOf(shape), problem: this.draft().problem(shape) };
    const more = kind === "line" && !values.problem ? ` ${this.#inWords(shape)}` : "";
    this.#report(text(values.problem ? "setup-added-but" : "setup-added", values) + more);
    this.focus(shape.id);
  }

  /** Selects and focuses a shape. @param {number} id */
  focus(id) {
    this.selected = id;
    this.render();
    /** @type {HTMLElement | null} */ (this.#handles.querySelector(`[data-key="${id}"]`))?.focus();
  }

  /** Says where "in" is. @param {DraftShape} line */
  #inWords(line) {
    return text(`setup-in-${directionWord(inward(line.points[0], line.points[1], this.#aspect))}`);
  }

  /** @param {string} text */
  #report(text) {
    this.changed();
    this.say(text);
  }

  render() {
    const { shapes } = this.draft();
    this.#plan.show(shapes, this.#aspect, {}, this.selected);
    const pen = this.#pen;
    if (pen) this.#plan.sketch(pen.points, pen.cursor, this.#aspect);
    setAttribute(this.node, "data-drawing", pen?.kind ?? null);
    const handles = pen
      ? [cross(pen.cursor)]
      : shapes.flatMap((shape) => shapeHandles(shape, this.draft().nameOf(shape), shape.id === this.selected));
    const nodes = syncChildren(
      this.#handles,
      handles.map(({ key }) => key),
      () => element("button", { type: "button" }),
    );
    nodes.forEach((node, index) => {
      const { name, look, place, id, point } = handles[index];
      setAttribute(node, "class", look);
      setAttribute(node, "aria-label", name);
      setAttribute(node, "data-shape", id);
      setAttribute(node, "data-point", point);
      at(node, place);
    });
  }

  /** @param {PointerEvent} event @returns {Point} */
  #place({ clientX, clientY }) {
    const { left, top, width, height } = this.node.getBoundingClientRect();
    return snapped([(clientX - left) / width, (clientY - top) / height]);
  }

  /** @param {PointerEvent} event */
  #tolerance({ pointerType }) {
    return (TOLERANCE[/** @type {keyof typeof TOLERANCE} */ (pointerType)] ?? TOLERANCE.mouse) / (this.node.clientHeight || 1);
  }

  /** @param {PointerEvent} event */
  #onDown(event) {
    if (!event.isPrimary || event.button !== 0) return;
    const [place, tolerance] = [this.#place(event), this.#tolerance(event)];
    this.node.setPointerCapture(event.pointerId);
    if (this.#pen) return this.#press(place, tolerance);
    const { shapes } = this.draft();
    const handle = target(event.target);
    const found = handle ? null : find(shapes, place, tolerance, this.#aspect);
    const id = handle?.id ?? (found && shapes[found.shape].id);
    this.selected = id ?? null;
    if (id !== null && id !== undefined)
      this.#drag = { id, point: handle?.point ?? found?.point ?? null, last: place, hasMoved: false };
    this.changed();
  }

  /** Sets a point of the shape that is drawn. @param {Point} place @param {number} tolerance */
  #press(place, tolerance) {
    this.#pen?.moveTo(place);
    if (this.#pen?.press(tolerance)) return this.finish();
    this.#sayPoints();
  }

  #sayPoints() {
    if (this.#pen) this.#report(this.#pen.hint);
  }

  /** @param {PointerEvent} event */
  #onMove(event) {
    if (!event.isPrimary) return;
    if (this.#pen) {
      this.#pen.moveTo(this.#place(event));
      return this.render();
    }
    const shape = this.#drag && this.draft().get(this.#drag.id);
    if (!this.#drag || !shape) return;
    const place = this.#place(event);
    if (place[0] === this.#drag.last[0] && place[1] === this.#drag.last[1]) return;
    if (!this.#drag.hasMoved) this.draft().begin();
    this.#drag.hasMoved = true;
    if (this.#drag.point !== null) shape.points[this.#drag.point] = place;
    else this.draft().move(shape, [place[0] - this.#drag.last[0], place[1] - this.#drag.last[1]]);
    this.#drag.last = place;
    this.changed();
  }

  /** @param {PointerEvent} event */
  #onUp(event) {
    const shape = this.#drag?.hasMoved ? this.draft().get(this.#drag.id) : null;
    this.#drag = null;
    if (shape) this.#report(text("setup-moved", { shape: this.draft().nameOf(shape) }));
    if (this.#pen) this.#focusCross(); // so that keys continue
    const [start] = this.#pen?.points ?? [];
    const isLine = this.#pen?.kind === "line" && this.#pen.points.length === 1;
    if (isLine && distance(start, this.#place(event), this.#aspect) >= MIN_DRAG) this.#press(this.#place(event), 0);
  }

  /** @param {EventTarget | null} node */
  #select(node) {
    const handle = target(node);
    if (!handle || this.#pen || handle.id === this.selected) return;
    this.selected = handle.id;
    this.changed();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const handled = this.#pen ? this.#penKey(event) : this.#handleKey(event);
    if (handled) event.preventDefault();
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key has a meaning here */
  #penKey(event) {
    const [{ key }, step] = [event, arrowStep(event)];
    if (!this.#pen) return false;
    if (step) {
      this.#pen.moveBy(step);
      this.render();
      this.say(position(this.#pen.cursor));
    } else if (key === "Enter" || key === " ") {
      if (this.#pen.enter()) this.finish();
      else this.#sayPoints();
    } else if (key === "Backspace" || key === "Delete") {
      this.#pen.back();
      this.#sayPoints();
    } else return false;
    return true;
  }

  /** @param {KeyboardEvent} event @returns {boolean} */
  #handleKey(event) {
    const [{ key }, step, handle] = [event, arrowStep(event), target(event.target)];
    const shape = handle && this.draft().get(handle.id);
    if (!handle || !shape) return false;
    if (step) this.#moveByKey(shape, handle.point, step);
    else if (key === "Delete" || key === "Backspace") this.remove(shape, handle.point);
    else return false;
    return true;
  }

  /** @param {DraftShape} shape @param {number | null} point null: the whole shape @param {Point} by */
  #moveByKey(shape, point, by) {
    this.draft().begin();
    if (point === null) this.draft().move(shape, by);
    else shape.points[point] = stepped(shape.points[point], by);
    this.#report(position(point === null ? centre(shape.points) : shape.points[point]));
  }

  /** Deletes a shape, or one corner of a polygon. @param {DraftShape} shape @param {number | null} point */
  remove(shape, point = null) {
    const name = this.draft().nameOf(shape);
    if (point !== null && this.draft().removePoint(shape, point))
      return this.#report(text("setup-corner-deleted", { number: point + 1, shape: name }));
    if (point !== null && shape.kind !== "line") return this.say(text("setup-last-corners"));
    const focused = document.activeElement;
    this.draft().remove(shape);
    this.selected = null;
    this.#report(text("setup-deleted", { shape: name }));
    if (focused && !focused.isConnected) this.#focusAny();
  }

  /** Focuses another shape, or else the first button. */
  #focusAny() {
    const [handle] = this.#handles.children;
    /** @type {HTMLElement} */ (handle ?? byId("setup-line")).focus();
  }

  /** @param {DraftShape} shape */
  reverse(shape) {
    this.draft().reverse(shape);
    this.#report(`${text("setup-reversed", { shape: this.draft().nameOf(shape) })} ${this.#inWords(shape)}`);
  }
}
