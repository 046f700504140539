/** The alerts that are raised at a camera, in plain words. */

/** @import { Alert } from "./messages.js" */

import { element, setShown, setText, syncChildren } from "./elements.js";
import { duration } from "./times.js";
import { counted } from "./words.js";

/** Returns what is the matter. @param {Alert} alert */
export function alertText({ kind, zone, limit, value }) {
  switch (kind) {
    case "inside":
      return `${counted(value, "visitor")} inside, more than ${limit}`;
    case "people":
      return `${counted(value, "visitor")} at ${zone}, more than ${limit}`;
    case "waiting_seconds":
      return `somebody is at ${zone} for more than ${duration(limit)}`;
    case "lost_minutes":
      return `no picture was counted for ${duration(limit * 60)}`;
    case "uncounted_minutes":
      return `open for ${duration(limit * 60)}, and nobody was counted`;
    default:
      return `${kind} above ${limit}`;
  }
}

/**
 * Shows the alerts of a camera; there is no list without any.
 *
 * @param {HTMLElement} list
 * @param {Alert[]} alerts
 * @param {(time: number) => string} when
 */
export function showAlerts(list, alerts, when) {
  setShown(list, alerts.length > 0);
  syncChildren(
    list,
    alerts.map(({ rule, since }) => `${rule} ${since}`),
    () => element("li", {}, element("strong"), " ", element("span")),
  ).forEach((row, index) => {
    const alert = alerts[index];
    setText(row.children[0], `${alert.rule}:`);
    setText(row.children[1], `${alertText(alert)}; since ${when(alert.since)}`);
  });
}
