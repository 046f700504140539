/** A setup while it is edited. It knows what can be undone, and what is wrong. */

/** @import { Point } from "./geometry.js" */
/** @import { AlertRule, Setup, SetupDefaults } from "../base/messages.js" */
/** @import { Kind, Shape } from "../live/shapes.js" */
/** @import { DraftRule, Fault, RuleKind } from "./rules.js" */

import { text } from "../base/language.js";
import { lineProblem, moved, polygonProblem } from "./geometry.js";
import { MEASURES, draftRule, inIds, ruleFault, savedRule } from "./rules.js";
import { shapesOf } from "../live/shapes.js";

/**
 * `id` identifies a shape while the page is open. `visitors` and `rules` are null if they are as the settings say.
 * @typedef {Shape & {id: number}} DraftShape
 * @typedef {{shapes: DraftShape[], visitors: string[] | null, rules: DraftRule[] | null, own: Setup | null}} Version
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

  /** The camera's own rules of alerts; null: as the settings say. */
  get rules() {
    return this.#now.rules;
  }

  /** The rules of the settings. */
  get settingsRules() {
    return this.defaults.alerts.map(withRuleId);
  }

  get canUndo() {
    return this.#before.length > 0;
  }

  /** @param {Setup | null} own @returns {Version} */
  #version(own) {
    const shapes = shapesOf(own, this.defaults).map(withId);
    return { shapes, visitors: own?.visitors ?? null, rules: own?.alerts?.map(withRuleId) ?? null, own };
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
    const shape = withId({ kind, name: kind === "mask" ? "" : this.#newName(kind), points });
    this.shapes.push(shape);
    return shape;
  }

  /** @param {Kind} kind */
  #newName(kind) {
    const numbered = (/** @type {number} */ number) => text("setup-named", { kind: text(`setup-${kind}`), name: number });
    return freeName(this.#of(kind), numbered);
  }

  /** Returns "line door", "line 1" if that is the name, or "mask 2". @param {DraftShape} shape */
  nameOf({ id, kind, name }) {
    const word = text(`setup-${kind}`);
    if (kind === "mask") return text("setup-named", { kind: word, name: 1 + this.#of(kind).findIndex((one) => one.id === id) });
    const hasWord = name.toLowerCase().split(" ")[0] === word.toLowerCase();
    return hasWord ? name : text("setup-named", { kind: word, name }).trim();
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

  /** Renames a shape. Rules about a zone follow, unless another zone has its former name. @param {DraftShape} shape @param {string} name */
  rename(shape, name) {
    this.begin();
    const former = shape.name;
    shape.name = name;
    if (shape.kind !== "zone" || this.zoneNames.includes(former)) return;
    for (const rule of this.rules ?? []) if (rule.zone === former) rule.zone = name;
  }

  /** The names of the zones. */
  get zoneNames() {
    return this.#of("zone").map(({ name }) => name);
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

  /** Gives the camera rules of its own, at first those of the settings; or takes them away. @param {boolean} hasOwn */
  setOwnRules(hasOwn) {
    this.begin();
    this.#now.rules = hasOwn ? this.settingsRules : null;
  }

  /** Adds a rule with a free name; if there is only one zone, about that. @param {RuleKind} kind @returns {DraftRule} */
  addRule(kind) {
    this.begin();
    const { limit, hasZone } = MEASURES[kind];
    const word = text(`setup-rule-name-${inIds(kind)}`);
    const name = freeName(this.rules ?? [], (number) => (number === 1 ? word : `${word} ${number}`));
    const zone = hasZone ? (this.zoneNames.length === 1 ? this.zoneNames[0] : "") : null;
    const rule = { id: newId(), name, kind, limit, zone };
    this.#now.rules = [...(this.rules ?? this.settingsRules), rule];
    return rule;
  }

  /** @param {number} id @param {Partial<DraftRule>} values */
  changeRule(id, values) {
    this.begin();
    this.#now.rules = this.rules?.map((rule) => (rule.id === id ? { ...rule, ...values } : rule)) ?? null;
  }

  /** @param {number} id */
  removeRule(id) {
    this.begin();
    this.#now.rules = this.rules?.filter((rule) => rule.id !== id) ?? null;
  }

  /** Returns what is wrong with a rule; null if nothing is. @param {DraftRule} rule */
  ruleFault(rule) {
    return ruleFault(rule, this.rules ?? [], this.zoneNames);
  }

  /**
   * Returns the setup to save; null if it is as the settings say. A part that was never changed stays as the settings say.
   * @returns {Partial<Setup> | null}
   */
  setup() {
    const { visitors, rules, own } = this.#now;
    const lines = this.#of("line").map(({ name, points: [from, to] }) => ({ name, from, to }));
    const zones = this.#of("zone").map(({ name, points }) => ({ name, polygon: points }));
    const mask = this.#of("mask").map(({ points }) => points);
    const setup = {
      ...(own?.lines || differ(lines, this.defaults.lines) ? { lines } : {}),
      ...(own?.zones || differ(zones, this.defaults.zones) ? { zones } : {}),
      ...(mask.length ? { mask } : {}),
      ...(visitors ? { visitors } : {}),
      ...(rules ? { alerts: rules.map(savedRule) } : {}),
    };
    return Object.keys(setup).length ? setup : null;
  }

  /** @param {Kind} kind */
  #of(kind) {
    return this.shapes.filter((shape) => shape.kind === kind);
  }

  /** Returns what is wrong with a shape, to follow its name; empty if nothing is. @param {DraftShape} shape */
  problem({ id, kind, name, points }) {
    if (kind !== "mask" && name.trim() === "") return text("setup-problem-no-name");
    const isTaken = this.#of(kind).some((other) => other.id !== id && other.name === name);
    if (kind !== "mask" && isTaken) return text("setup-problem-same-name", { kind: text(`setup-${kind}`) });
    return kind === "line" ? lineProblem(points) : polygonProblem(points);
  }

  /** Returns the shape at a path in the setup, such as "zones.0.polygon"; null if there is none. @param {string} path */
  at(path) {
    const [part, index] = path.split(".");
    return Object.hasOwn(KINDS, part) ? (this.#of(KINDS[part])[Number(index)] ?? null) : null;
  }

  /** Returns the rule at a path in the setup, such as "alerts.0.inside"; null if there is none. @param {string} path */
  ruleAt(path) {
    const [part, index] = path.split(".");
    return part === "alerts" ? (this.rules?.[Number(index)] ?? null) : null;
  }
}

/** @param {Shape} shape @returns {DraftShape} */
function withId(shape) {
  return { ...shape, id: newId() };
}

/** @param {AlertRule} rule */
function withRuleId(rule) {
  return draftRule(rule, newId());
}

function newId() {
  lastId += 1;
  return lastId;
}

/** Returns the first name that nothing has. @param {{name: string}[]} others @param {(number: number) => string} numbered */
function freeName(others, numbered) {
  const taken = new Set(others.map(({ name }) => name));
  let number = 1;
  while (taken.has(numbered(number))) number += 1;
  return numbered(number);
}

/** @param {unknown} one @param {unknown} other */
function differ(one, other) {
  return JSON.stringify(one) !== JSON.stringify(other);
}
