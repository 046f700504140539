/** The rules of alerts of a camera, while they are edited. The server has the same limits, and decides. */

/** @import { AlertRule } from "../base/messages.js" */

import { number, text } from "../base/language.js";
import { duration } from "../base/times.js";

/**
 * `id` identifies a rule while the page is open. `limit` is null while none is given, `zone` for kinds without a zone.
 * @typedef {"inside" | "people" | "waiting_seconds" | "lost_minutes" | "uncounted_minutes"} RuleKind
 * @typedef {{id: number, name: string, kind: RuleKind, limit: number | null, zone: string | null}} DraftRule
 */

/**
 * `limit` is that of a new rule; `most` is the maximum.
 * @typedef {{unit: "visitors" | "seconds" | "minutes", limit: number, most: number, hasZone?: boolean}} Measure
 */

/**
 * What is wrong with a rule, to follow its name.
 * @typedef {{field: "name" | "limit" | "zone", problem: string}} Fault
 */

export const MAX_RULES = 16;

/** @type {Record<RuleKind, Measure>} */
export const MEASURES = {
  inside: { unit: "visitors", limit: 50, most: 100_000 },
  people: { unit: "visitors", limit: 5, most: 100_000, hasZone: true },
  waiting_seconds: { unit: "seconds", limit: 120, most: 86_400, hasZone: true },
  lost_minutes: { unit: "minutes", limit: 10, most: 1440 },
  uncounted_minutes: { unit: "minutes", limit: 60, most: 1440 },
};
export const KINDS = /** @type {RuleKind[]} */ (Object.keys(MEASURES));

/** Returns a rule of the server. @param {AlertRule} rule @param {number} id @returns {DraftRule} */
export function draftRule(rule, id) {
  const kind = KINDS.find((one) => typeof rule[one] === "number") ?? "inside";
  return { id, name: rule.name, kind, limit: rule[kind] ?? null, zone: rule.zone ?? null };
}

/** Returns a rule for the server. @param {DraftRule} rule @returns {AlertRule} */
export function savedRule({ name, kind, limit, zone }) {
  return { name, ...(zone === null ? {} : { zone }), ...(limit === null ? {} : { [kind]: limit }) };
}

/**
 * Returns what is wrong with a rule, and in which field; null if nothing is.
 *
 * @param {DraftRule} rule
 * @param {DraftRule[]} others
 * @param {string[]} zones those that are drawn
 * @returns {Fault | null}
 */
export function ruleFault({ id, name, kind, limit, zone }, others, zones) {
  const { unit, most, hasZone } = MEASURES[kind];
  const isRight = limit !== null && limit <= most && (unit === "visitors" ? Number.isInteger(limit) && limit >= 0 : limit > 0);
  const isTaken = others.some((other) => other.id !== id && other.name === name);
  if (name.trim() === "") return { field: "name", problem: text("setup-problem-no-name") };
  if (isTaken) return { field: "name", problem: text("setup-problem-same-name", { kind: text("setup-rule") }) };
  if (!isRight) return { field: "limit", problem: text(`setup-problem-limit-${unit}`, { most: number(most) }) };
  if (!hasZone || zones.includes(zone ?? "")) return null;
  return { field: "zone", problem: zone ? text("setup-problem-zone-missing", { zone }) : text("setup-problem-zone") };
}

/** Returns the field at a path in a setup, such as "alerts.0.inside". @param {string} path @returns {Fault["field"]} */
export function fieldAt(path) {
  const field = path.split(".")[2];
  return field === "name" || field === "zone" ? field : "limit";
}

/** Returns a kind as in the ids of texts. @param {RuleKind} kind */
export function inIds(kind) {
  return kind.replace("_", "-");
}

/** Returns "rule queue". @param {Pick<DraftRule, "name">} rule */
export function ruleName({ name }) {
  return text("setup-named", { kind: text("setup-rule"), name }).trim();
}

/** Returns a rule in words. @param {DraftRule} rule */
export function ruleText({ name, kind, limit, zone }) {
  const seconds = { visitors: 0, seconds: 1, minutes: 60 }[MEASURES[kind].unit];
  return text(`setup-says-${inIds(kind)}`, {
    name,
    limit: limit ?? 0,
    duration: duration((limit ?? 0) * seconds),
    zone: zone ?? "",
  });
}
