/** Arrow keys move things on a picture. */

/** @import { Point } from "../setup/geometry.js" */

const STEP = 0.01; // of the picture, for each press
const BIG_STEP = 0.05; // with Shift
/** @type {Map<string, Point>} */
const DIRECTIONS = new Map([
  ["ArrowLeft", [-1, 0]],
  ["ArrowRight", [1, 0]],
  ["ArrowUp", [0, -1]],
  ["ArrowDown", [0, 1]],
]);

/** Returns the movement that a key means; null if it is no arrow key. @param {KeyboardEvent} event @returns {Point | null} */
export function arrowStep({ key, shiftKey }) {
  const size = shiftKey ? BIG_STEP : STEP;
  const direction = DIRECTIONS.get(key);
  return direction ? [size * direction[0], size * direction[1]] : null;
}
