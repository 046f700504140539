/**
 * Geometry on a picture. Points are [x, y] in parts of its width and height, from the top left. `aspect` is its width divided by
 * its height; distances are in parts of the height. The server has the same limits, and decides.
 *
 * @typedef {[number, number]} Point
 */

import { text } from "../base/language.js";

export const MAX_CORNERS = 32;
const MIN_LENGTH = 0.01; // of a line, in parts of the picture
const MIN_AREA = 1e-4;
const SNAP = 0.012; // distance from the picture's edge at which a point moves onto it
const DIGITS = 4;

/** Moves a point into the picture, and onto its edge if that is near. @param {Point} point @returns {Point} */
export function snapped([x, y]) {
  return [snappedNumber(x), snappedNumber(y)];
}

/** @param {number} value */
function snappedNumber(value) {
  if (value < SNAP) return 0;
  if (value > 1 - SNAP) return 1;
  return rounded(value);
}

/** @param {number} value */
function rounded(value) {
  return Number(value.toFixed(DIGITS));
}

/** Moves a point, but not out of the picture. @param {Point} point @param {Point} by @returns {Point} */
export function stepped([x, y], [dx, dy]) {
  return [rounded(Math.min(1, Math.max(0, x + dx))), rounded(Math.min(1, Math.max(0, y + dy)))];
}

/**
 * Moves points together, as far as all of them stay in the picture.
 *
 * @param {Point[]} points
 * @param {Point} by
 * @returns {Point[]}
 */
export function moved(points, by) {
  const limited = [0, 1].map((axis) => {
    const values = points.map((point) => point[axis]);
    return Math.min(1 - Math.max(...values), Math.max(-Math.min(...values), by[axis]));
  });
  return points.map((point) => stepped(point, /** @type {Point} */ (limited)));
}

/** @param {Point} one @param {Point} other @param {number} aspect */
export function distance(one, other, aspect) {
  return Math.hypot((one[0] - other[0]) * aspect, one[1] - other[1]);
}

/**
 * Returns the distance of a point from the segment between two others.
 *
 * @param {Point} point
 * @param {Point} a
 * @param {Point} b
 * @param {number} aspect
 */
export function segmentDistance(point, a, b, aspect) {
  const [dx, dy] = [(b[0] - a[0]) * aspect, b[1] - a[1]];
  const [px, py] = [(point[0] - a[0]) * aspect, point[1] - a[1]];
  const share = Math.min(1, Math.max(0, (px * dx + py * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(px - share * dx, py - share * dy);
}

/** Whether a point is inside a polygon. @param {Point[]} corners @param {Point} point */
export function contains(corners, [x, y]) {
  const crossed = edges(corners).filter(
    ([[ax, ay], [bx, by]]) => ay > y !== by > y && x < ax + ((y - ay) * (bx - ax)) / (by - ay),
  );
  return crossed.length % 2 === 1;
}

/** Returns the mean of points. @param {Point[]} points @returns {Point} */
export function centre(points) {
  const sum = points.reduce(([x, y], [dx, dy]) => [x + dx, y + dy], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

/**
 * Returns the direction in which people go in across a line, as a unit vector in parts of the height: to its right, as one looks
 * along it. A line from left to right has "in" below.
 *
 * @param {Point} start
 * @param {Point} end
 * @param {number} aspect
 * @returns {Point}
 */
export function inward(start, end, aspect) {
  const [dx, dy] = [(end[0] - start[0]) * aspect, end[1] - start[1]];
  const length = Math.hypot(dx, dy) || 1;
  return [0 - dy / length, dx / length];
}

/** Returns "down", "up", "right" or "left". @param {Point} direction */
export function directionWord([x, y]) {
  if (Math.abs(y) >= Math.abs(x)) return y > 0 ? "down" : "up";
  return x > 0 ? "right" : "left";
}

/** Returns what is wrong with a line, to follow its name; empty if nothing is. @param {Point[]} points */
export function lineProblem([start, end]) {
  return distance(start, end, 1) < MIN_LENGTH ? text("setup-problem-short") : "";
}

/** Returns what is wrong with a polygon, to follow its name; empty if nothing is. @param {Point[]} corners */
export function polygonProblem(corners) {
  if (corners.length < 3 || corners.length > MAX_CORNERS) {
    return text("setup-problem-corners", { corners: corners.length, most: MAX_CORNERS });
  }
  const all = edges(corners);
  for (let one = 0; one < all.length; one += 1) {
    for (let other = one + 2; other < all.length; other += 1) {
      const areNeighbours = other - one === all.length - 1;
      if (!areNeighbours && meet(...all[one], ...all[other])) return text("setup-problem-crosses");
    }
  }
  const area = Math.abs(all.reduce((sum, [[ax, ay], [bx, by]]) => sum + ax * by - bx * ay, 0)) / 2;
  return area < MIN_AREA ? text("setup-problem-small") : "";
}

/** @param {Point[]} corners @returns {[Point, Point][]} */
function edges(corners) {
  return corners.map((corner, index) => [corner, corners[(index + 1) % corners.length]]);
}

/** Whether the segments from a to b and from c to d meet. @param {Point} a @param {Point} b @param {Point} c @param {Point} d */
function meet(a, b, c, d) {
  const [one, other, third, fourth] = [turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)];
  if ([one, other, third, fourth].every((value) => value === 0)) return overlap(a, b, c, d); // all on one straight line
  return one * other <= 0 && third * fourth <= 0;
}

/** @param {Point} a @param {Point} b @param {Point} c @param {Point} d */
function overlap(a, b, c, d) {
  return [0, 1].some(
    (axis) =>
      a[axis] !== b[axis] &&
      Math.min(a[axis], b[axis]) <= Math.max(c[axis], d[axis]) &&
      Math.min(c[axis], d[axis]) <= Math.max(a[axis], b[axis]),
  );
}

/** @param {Point} a @param {Point} b @param {Point} c */
function turn(a, b, c) {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}
