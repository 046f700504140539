/** The boxes of visitors on a picture. */

/** @import { Labels } from "../base/labels.js" */
/** @import { Box, PictureHeader, Rules } from "../base/messages.js" */

import { percent, text } from "../base/language.js";
import { visitors } from "./verdict.js";

/**
 * Returns the visitors that the counter follows. Without them, those that a detector found: the counter may not run, or waits for
 * a second picture of them. The note is the number of a visitor who is followed, or else a probability.
 *
 * @param {Pick<PictureHeader, "prediction" | "tracks">} header
 * @param {Rules} rules
 * @param {Labels} labels
 * @returns {{key: string, box: Box, label: string | null, name: string, note: string, isFollowed: boolean}[]}
 */
export function boxesOf({ prediction, tracks }, rules, labels) {
  if (tracks) {
    return tracks.map(({ number, box, label }) => {
      return { key: `track ${number}`, box, label, name: labels.name(label), note: `#${number}`, isFollowed: true };
    });
  }
  const found = visitors(prediction?.detections ?? []).filter(({ confidence }) => confidence >= rules.threshold);
  return found.map(({ box, confidence, labels: [label] }, index) => {
    const [name, note] = [label ? labels.name(label.name) : text("visitor"), percent(label?.probability ?? confidence)];
    return { key: String(index), box, label: label?.name ?? null, name, note, isFollowed: false };
  });
}
