/** The result of a prediction, as the page shows it. */

/** @import { Prediction, Label, Rules } from "./messages.js" */

import { percent } from "./words.js";

/**
 * Returns the kind of result (a label, nobody, unsure or none), its text and its probability.
 *
 * @typedef {{kind: "seen" | "nobody" | "unsure" | "none", name: string, text: string, share: string}} Verdict
 * @param {Prediction | null} prediction
 * @param {Rules} rules
 * @returns {Verdict}
 */
export function verdict(prediction, rules) {
  if (!prediction) return { kind: "none", name: "", text: "not classified", share: "" };
  const best = prediction.labels.reduce(moreProbable, /** @type {Label | null} */ (null));
  if (!best) return { kind: "nobody", name: "", text: "nobody", share: "" };
  const { name } = best;
  const share = percent(best.probability);
  if (isBackground(name, rules))
    return { kind: "nobody", name, text: isSame(name, "nobody") ? "nobody" : `nobody (${name})`, share };
  if (best.probability < rules.threshold) return { kind: "unsure", name, text: `unsure, perhaps ${name}`, share };
  return { kind: "seen", name, text: name, share };
}

/** @param {Label | null} one @param {Label} other */
function moreProbable(one, other) {
  return one && one.probability >= other.probability ? one : other;
}

/** Whether a label means that nobody is in the picture. @param {string} name @param {Rules} rules */
export function isBackground(name, rules) {
  return rules.background.some((background) => isSame(name, background));
}

/** Compares like Python's casefold: upper case first, so that "ß" equals "ss". @param {string} one @param {string} other */
function isSame(one, other) {
  return one.toUpperCase().toLowerCase() === other.toUpperCase().toLowerCase();
}
