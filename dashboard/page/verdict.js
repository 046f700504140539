/** What a prediction says of its picture: who is seen, nobody, or that it is not sure. */

/** @import { Prediction, Guess, Rules } from "./messages.js" */

import { percent } from "./words.js";

/**
 * What a prediction says of its picture.
 *
 * @typedef {{kind: "seen" | "nobody" | "unsure" | "none", name: string, text: string, share: string}} Verdict
 * @param {Prediction | null} prediction
 * @param {Rules} rules
 * @returns {Verdict}
 */
export function verdict(prediction, rules) {
  if (!prediction) return { kind: "none", name: "", text: "not classified", share: "" };
  const best = prediction.labels.reduce(likelier, /** @type {Guess | null} */ (null));
  if (!best) return { kind: "nobody", name: "", text: "nobody", share: "" };
  const { name } = best;
  const share = percent(best.probability);
  if (isBackground(name, rules))
    return { kind: "nobody", name, text: sameWord(name, "nobody") ? "nobody" : `nobody (${name})`, share };
  if (best.probability < rules.threshold) return { kind: "unsure", name, text: `unsure, perhaps ${name}`, share };
  return { kind: "seen", name, text: name, share };
}

/** @param {Guess | null} one @param {Guess} other */
function likelier(one, other) {
  return one && one.probability >= other.probability ? one : other;
}

/** Whether a label means that nobody is there. @param {string} name @param {Rules} rules */
export function isBackground(name, rules) {
  return rules.background.some((background) => sameWord(name, background));
}

/** As Python's casefold sees it: by way of capitals, so that "ß" is "ss". @param {string} one @param {string} other */
function sameWord(one, other) {
  return one.toUpperCase().toLowerCase() === other.toUpperCase().toLowerCase();
}
