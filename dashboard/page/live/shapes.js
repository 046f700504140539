/** The lines, zones and masks of a setup as shapes. */

/** @import { Point } from "../setup/geometry.js" */
/** @import { Setup, SetupDefaults, State } from "../base/messages.js" */

import { contains, distance, segmentDistance } from "../setup/geometry.js";

/**
 * `points` are the start and the end of a line, or the corners of a polygon. A mask has no name.
 * @typedef {"line" | "zone" | "mask"} Kind
 * @typedef {{kind: Kind, name: string, points: Point[]}} Shape
 */

/**
 * Returns a camera's own setup; null if it has none.
 *
 * @param {Pick<State, "setups">} state
 * @param {string} camera
 * @returns {Setup | null}
 */
export function ownSetup({ setups }, camera) {
  return Object.hasOwn(setups, camera) ? setups[camera] : null;
}

/** Returns the shapes of a setup, completed with the settings. @param {Setup | null} own @param {SetupDefaults} defaults @returns {Shape[]} */
export function shapesOf(own, defaults) {
  return [
    ...(own?.lines ?? defaults.lines).map(({ name, from, to }) => shape("line", name, [from, to])),
    ...(own?.zones ?? defaults.zones).map(({ name, polygon }) => shape("zone", name, polygon)),
    ...(own?.mask ?? []).map((polygon) => shape("mask", "", polygon)),
  ];
}

/** Returns the shapes that count at a camera. @param {Pick<State, "setups" | "setup_defaults">} state @param {string} camera */
export function shapesAt(state, camera) {
  return shapesOf(ownSetup(state, camera), state.setup_defaults);
}

/** @param {Kind} kind @param {string} name @param {Point[]} points @returns {Shape} */
function shape(kind, name, points) {
  return { kind, name, points: points.map(([x, y]) => [x, y]) };
}

/**
 * Finds the point of a shape, or else the shape, at a place: points before shapes, later ones before those below.
 *
 * @param {Shape[]} shapes
 * @param {Point} place
 * @param {number} tolerance in parts of the picture's height
 * @param {number} aspect
 * @returns {{shape: number, point: number | null} | null} indexes
 */
export function find(shapes, place, tolerance, aspect) {
  const near = shapes
    .flatMap(({ points }, shape) => points.map((point, index) => ({ shape, point: index, away: distance(point, place, aspect) })))
    .filter(({ away }) => away <= tolerance)
    .sort((one, other) => one.away - other.away || other.shape - one.shape);
  if (near.length) return { shape: near[0].shape, point: near[0].point };
  const shape = shapes.findLastIndex(({ kind, points }) =>
    kind === "line" ? segmentDistance(place, points[0], points[1], aspect) <= tolerance : contains(points, place),
  );
  return shape < 0 ? null : { shape, point: null };
}
