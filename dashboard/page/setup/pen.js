/** A line or polygon while it is drawn, point by point, with a pointer or with keys. */

/** @import { Point } from "./geometry.js" */
/** @import { Kind } from "../live/shapes.js" */

import { text } from "../base/language.js";
import { MAX_CORNERS, distance, snapped, stepped } from "./geometry.js";

const SAME = 0.005; // distance below which a key press is at a corner

export class Pen {
  /** The points so far. @type {Point[]} */
  points = [];
  /** Where the next point will be. @type {Point} */
  cursor = [0.5, 0.5];
  /** Whether keys moved the cursor last. */
  #byKeys = false;

  /** @param {Kind} kind @param {number} aspect of the picture */
  constructor(kind, aspect) {
    this.kind = kind;
    this.aspect = aspect;
  }

  /** Whether the points are enough. */
  get isComplete() {
    return this.points.length >= (this.kind === "line" ? 2 : 3);
  }

  /** What to do next, in words. */
  get hint() {
    const number = this.points.length;
    if (this.kind === "line") return text(number ? "setup-draw-end" : "setup-draw-start");
    if (!number) return text("setup-draw-corner");
    return text(this.isComplete ? "setup-draw-close" : "setup-draw-next", { number });
  }

  /** Moves the cursor with a pointer. @param {Point} place */
  moveTo(place) {
    this.cursor = snapped(place);
    this.#byKeys = false;
  }

  /** Moves the cursor with keys. @param {Point} by */
  moveBy(by) {
    this.cursor = stepped(this.cursor, by);
    this.#byKeys = true;
  }

  /**
   * Sets a point at the cursor, or closes a polygon there.
   * @param {number} tolerance distance from the first corner that closes it, in parts of the height
   * @returns {boolean} whether the shape is finished
   */
  press(tolerance) {
    const [first] = this.points;
    if (this.kind !== "line" && this.isComplete && distance(first, this.cursor, this.aspect) <= tolerance) return true;
    const last = this.points.at(-1);
    if (last && distance(last, this.cursor, this.aspect) < SAME) return false; // a double click
    this.points.push([...this.cursor]);
    return this.kind === "line" ? this.isComplete : this.points.length === MAX_CORNERS;
  }

  /**
   * The key Enter: finishes a polygon that was drawn with a pointer. With keys it sets a point, or finishes the polygon at its
   * first or last corner.
   *
   * @returns {boolean} whether the shape is finished
   */
  enter() {
    const corners = [this.points[0], this.points.at(-1)];
    const isAtCorner = corners.some((corner) => corner && distance(corner, this.cursor, this.aspect) < SAME);
    if (this.kind !== "line" && this.isComplete && (isAtCorner || !this.#byKeys)) return true;
    return this.press(SAME);
  }

  /** Removes the last point. */
  back() {
    this.points.pop();
  }
}
