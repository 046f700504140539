/** A setup while it is edited. It knows what can be undone, and what is wrong. */

/** @import { Point } from "./geometry.js" */
/** @import { Setup, SetupDefaults } from "./messages.js" */
/** @import { Kind, Shape } from "./shapes.js" */

import { lineProblem, moved, polygonProblem } from "./geometry.js";
import { shapesOf } from "./shapes.js";

/**
 * `id` identifies a shape while the page is open. `visitors` is null if the settings say who is a visitor.
 * @typedef {Shape & {id: number}} DraftShape
 * @typedef {{shapes: DraftShape[], visitors: string[] | null, own: Setup | null}} Version
 */

const MAX_UNDO = 100;
/** The shapes' part of a setup, and the kind of shape in it. @type {Record<string, Kind>} */
const KINDS = { lines: "line", zones: "zone", mask: "mask" };

let lastId = 0;

export class Draft {
  /** @type {Version} */
  #now;
  /** @type {Version[]} */
  #before = [];

  /** @param {Setup | null} own null: the camera has none @param {SetupDefaults} defaults */
  constructor(own, defaults) {
    this.defaults = defaults;
    this.#now = this.#version(own);
  }

  get shapes() {
    return this.#now.shapes;
  }

  get visitors() {
    return this.#now.visitors;
  }

  get canUndo() {
    return this.#before.length > 0;
  }

  /** @param {Setup | null} own @returns {Version} */
  #version(own) {
    return { shapes: shapesOf(own, this.defaults).map(withId), visitors: own?.visitors ?? null, own };
  }

  /** Remembers the current version, so that `undo` returns to it. Call it before a change, or once before a movement. */
  begin() {
    this.#before = [...this.#before, structuredClone(this.#now)].slice(-MAX_UNDO);
  }

  /** @returns {boolean} whether there was something to undo */
  undo() {
    const version = this.#before.pop();
    if (version) this.#now = version;
    return version !== undefined;
  }

  /** Starts again from a setup; null: from the settings. @param {Setup | null} own */
  reset(own) {
    this.begin();
    this.#now = this.#version(own);
  }

  /** @param {number} id */
  get(id) {
    return this.shapes.find((shape) => shape.id === id) ?? null;
  }

  /** Adds a shape with a free name. @param {Kind} kind @param {Point[]} points @returns {DraftShape} */
  add(kind, points) {
    this.begin();
    const shape = withId({ kind, name: kind === "mask" ? "" : this.#freeName(kind), points });
    this.shapes.push(shape);
    return shape;
  }

  /** @param {Kind} kind */
  #freeName(kind) {
    const taken = new Set(this.shapes.filter((shape) => shape.kind === kind).map(({ name }) => name));
    let number = 1;
    while (taken.has(`${kind} ${number}`)) number += 1;
    return `${kind} ${number}`;
  }

  /** @param {DraftShape} shape */
  remove(shape) {
    this.begin();
    this.#now.shapes = this.shapes.filter((one) => one !== shape);
  }

  /**
   * Removes a corner of a polygon with more than three.
   *
   * @param {DraftShape} shape
   * @param {number} point
   * @returns {boolean} whether it did
   */
  removePoint(shape, point) {
    if (shape.kind === "line" || shape.points.length <= 3) return false;
    this.begin();
    const changed = this.get(shape.id);
    changed?.points.splice(point, 1);
    return true;
  }

  /** Swaps a line's sides "in" and "out". @param {DraftShape} shape */
  reverse(shape) {
    this.begin();
    shape.points.reverse();
  }

  /** @param {DraftShape} shape @param {string} name */
  rename(shape, name) {
    this.begin();
    shape.name = name;
  }

  /** Moves a shape, within the picture. Call `begin` before. @param {DraftShape} shape @param {Point} by */
  move(shape, by) {
    shape.points = moved(shape.points, by);
  }

  /** @param {string[] | null} visitors */
  setVisitors(visitors) {
    this.begin();
    this.#now.visitors = visitors;
  }

  /**
   * Returns the setup to save; null if it is as the settings say. A part that was never changed stays as the settings say.
   * @returns {Partial<Setup> | null}
   */
  setup() {
    const { visitors, own } = this.#now;
    const lines = this.#of("line").map(({ name, points: [from, to] }) => ({ name, from, to }));
    const zones = this.#of("zone").map(({ name, points }) => ({ name, polygon: points }));
    const mask = this.#of("mask").map(({ points }) => points);
    const setup = {
      ...(own?.lines || differ(lines, this.defaults.lines) ? { lines } : {}),
      ...(own?.zones || differ(zones, this.defaults.zones) ? { zones } : {}),
      ...(mask.length ? { mask } : {}),
      ...(visitors ? { visitors } : {}),
      ...(own?.alerts ? { alerts: own.alerts } : {}), // the editor does not change them
    };
    return Object.keys(setup).length ? setup : null;
  }

  /** @param {Kind} kind */
  #of(kind) {
    return this.shapes.filter((shape) => shape.kind === kind);
  }

  /** Returns what is wrong with a shape; empty if nothing is. @param {DraftShape} shape */
  problem({ id, kind, name, points }) {
    if (kind !== "mask" && name.trim() === "") return "has no name";
    const isTaken = this.#of(kind).some((other) => other.id !== id && other.name === name);
    if (kind !== "mask" && isTaken) return `has the name of another ${kind}`;
    return kind === "line" ? lineProblem(points) : polygonProblem(points);
  }

  /** Returns the shape at a place in the setup, such as "zones.0.polygon"; null if there is none. @param {string} place */
  at(place) {
    const [part, index] = place.split(".");
    return Object.hasOwn(KINDS, part) ? (this.#of(KINDS[part])[Number(index)] ?? null) : null;
  }
}

/** @param {Shape} shape @returns {DraftShape} */
function withId(shape) {
  lastId += 1;
  return { ...shape, id: lastId };
}

/** @param {unknown} one @param {unknown} other */
function differ(one, other) {
  return JSON.stringify(one) !== JSON.stringify(other);
}
