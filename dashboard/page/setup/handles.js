/** The handles of shapes: buttons on the picture, which a pointer drags and keys move. */

/** @import { DraftShape } from "./draft.js" */
/** @import { Point } from "./geometry.js" */

import { percent, text } from "../base/language.js";
import { centre } from "./geometry.js";

/** @typedef {{key: string, name: string, look: string, place: Point, id: string | null, point: string | null}} Handle */

/**
 * Returns the handle of a whole shape and, if it is selected, those of its points.
 *
 * @param {DraftShape} shape
 * @param {string} name the shape's, such as "line door"
 * @param {boolean} isSelected
 * @returns {Handle[]}
 */
export function shapeHandles(shape, name, isSelected) {
  const { id, kind, points } = shape;
  const key = String(id);
  const whole = {
    key,
    name: text("setup-move", { shape: name }),
    look: `handle whole ${kind}`,
    place: centre(points),
    id: key,
    point: null,
  };
  if (!isSelected) return [whole];
  const ids = (/** @type {number} */ index) => (kind === "line" ? ["setup-start", "setup-end"][index] : "setup-corner");
  return [
    whole,
    ...points.map((place, index) => ({
      key: `${key} ${index}`,
      name: text(ids(index), { shape: name, number: index + 1, position: position(place) }),
      look: "handle",
      place,
      id: key,
      point: String(index),
    })),
  ];
}

/** Returns the handle that sets the next point. @param {Point} cursor @returns {Handle} */
export function cross(cursor) {
  const name = text("setup-next-point", { position: position(cursor) });
  return { key: "cross", name, look: "handle cross", place: cursor, id: null, point: null };
}

/**
 * Returns the shape and the point of a handle.
 *
 * @param {EventTarget | null} node
 * @returns {{id: number, point: number | null} | null}
 */
export function target(node) {
  const handle = node instanceof Element ? /** @type {HTMLElement | null} */ (node.closest("[data-shape]")) : null;
  if (!handle) return null;
  return { id: Number(handle.dataset.shape), point: handle.dataset.point === undefined ? null : Number(handle.dataset.point) };
}

/** Returns "10 % across, 50 % down". @param {Point} place */
export function position([x, y]) {
  return text("setup-position", { x: percent(x), y: percent(y) });
}
