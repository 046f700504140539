/** The result of a prediction, as the page shows it. */

/** @import { Detection, Label, PictureHeader, Rules } from "./messages.js" */

import { UNDECIDED } from "./colours.js";
import { percent } from "./words.js";

/**
 * Returns the kind of result (a label, nobody, unsure or none), its text and, of a whole picture, its probability. Visitors
 * have boxes: of several there is only their number.
 *
 * @typedef {{kind: "seen" | "nobody" | "unsure" | "none", name: string, text: string, share: string}} Verdict
 * @param {Pick<PictureHeader, "prediction" | "tracks">} header
 * @param {Rules} rules
 * @returns {Verdict}
 */
export function verdict({ prediction, tracks }, rules) {
  if (tracks?.length) return ofVisitors(tracks.map(({ label }) => label));
  if (!prediction) return { kind: "none", name: "", text: "not classified", share: "" };
  const found = visitors(prediction.detections);
  const labels = [...prediction.labels, ...found.flatMap((one) => one.labels.slice(0, 1))];
  const best = labels.reduce(moreProbable, /** @type {Label | null} */ (null));
  if (!best) return withoutLabel(found, rules);
  const { name } = best;
  const share = prediction.labels.length ? percent(best.probability) : "";
  if (!best.visitor)
    return { kind: "nobody", name, text: name.toLowerCase() === "nobody" ? "nobody" : `nobody (${name})`, share };
  if (best.probability < rules.threshold) return { kind: "unsure", name, text: `unsure, perhaps ${name}`, share };
  return { kind: "seen", name, text: name, share };
}

/** @param {string[]} labels of the visitors in view @returns {Verdict} */
function ofVisitors([label, ...others]) {
  if (others.length) return { kind: "unsure", name: "", text: `${others.length + 1} visitors`, share: "" };
  if (label === UNDECIDED) return { kind: "unsure", name: "", text: label, share: "" };
  return { kind: "seen", name: label, text: label, share: "" };
}

/** Returns the detections that are visitors. @param {Detection[]} detections */
export function visitors(detections) {
  return detections.filter(({ labels }) => labels.length === 0 || labels[0].visitor);
}

/** @param {Detection[]} found visitors without labels @param {Rules} rules @returns {Verdict} */
function withoutLabel(found, rules) {
  const confidence = Math.max(0, ...found.map((one) => one.confidence));
  if (confidence < rules.threshold) return { kind: "nobody", name: "", text: "nobody", share: "" };
  return { kind: "unsure", name: "", text: "visitor", share: "" };
}

/** @param {Label | null} one @param {Label} other */
function moreProbable(one, other) {
  return one && one.probability >= other.probability ? one : other;
}
