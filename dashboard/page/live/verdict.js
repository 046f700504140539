/** The result of a prediction, as the page shows it. */

/** @import { Labels } from "../base/labels.js" */
/** @import { Detection, Label, PictureHeader, Rules, VisitorInView } from "../base/messages.js" */

import { percent, text } from "../base/language.js";
import { UNDECIDED } from "../base/labels.js";

/**
 * Returns the kind of result (a label, nobody, unsure or none), its text and, of a whole picture, its probability. Visitors
 * have boxes: of several there is only their number.
 *
 * @typedef {{kind: "seen" | "nobody" | "unsure" | "none", name: string, text: string, share: string}} Verdict
 * @param {Pick<PictureHeader, "prediction" | "tracks">} header
 * @param {Rules} rules
 * @param {Labels} labels
 * @returns {Verdict}
 */
export function verdict({ prediction, tracks }, rules, labels) {
  if (tracks?.length) return ofVisitors(tracks, labels);
  if (!prediction) return { kind: "none", name: "", text: text("not-classified"), share: "" };
  const found = visitors(prediction.detections);
  const all = [...prediction.labels, ...found.flatMap((one) => one.labels.slice(0, 1))];
  const best = all.reduce(moreProbable, /** @type {Label | null} */ (null));
  if (!best) return withoutLabel(found, rules);
  const { name } = best;
  const shown = labels.name(name);
  const share = prediction.labels.length ? percent(best.probability) : "";
  if (!best.visitor) {
    const isNamed = name.toLowerCase() !== "nobody";
    return { kind: "nobody", name, text: isNamed ? text("nobody-label", { label: shown }) : text("nobody"), share };
  }
  if (best.probability < rules.threshold) return { kind: "unsure", name, text: text("unsure", { label: shown }), share };
  return { kind: "seen", name, text: shown, share };
}

/** @param {Pick<VisitorInView, "label">[]} tracks @param {Labels} labels @returns {Verdict} */
function ofVisitors([{ label }, ...others], labels) {
  if (others.length) return { kind: "unsure", name: "", text: text("visitors-in-view", { visitors: others.length + 1 }), share: "" };
  if (label === UNDECIDED) return { kind: "unsure", name: "", text: labels.name(label), share: "" };
  return { kind: "seen", name: label, text: labels.name(label), share: "" };
}

/** Returns the detections that are visitors. @param {Detection[]} detections */
export function visitors(detections) {
  return detections.filter(({ labels }) => labels.length === 0 || labels[0].visitor);
}

/** @param {Detection[]} found visitors without labels @param {Rules} rules @returns {Verdict} */
function withoutLabel(found, rules) {
  const confidence = Math.max(0, ...found.map((one) => one.confidence));
  if (confidence < rules.threshold) return { kind: "nobody", name: "", text: text("nobody"), share: "" };
  return { kind: "unsure", name: "", text: text("visitor"), share: "" };
}

/** @param {Label | null} one @param {Label} other */
function moreProbable(one, other) {
  return one && one.probability >= other.probability ? one : other;
}
