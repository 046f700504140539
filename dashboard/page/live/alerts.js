/** The alerts that are raised at a camera, in plain words. */

/** @import { Alert } from "../base/messages.js" */

import { element, setShown, setText, syncChildren } from "../base/elements.js";
import { hasText, text } from "../base/language.js";
import { duration } from "../base/times.js";

/** Returns what is the matter. @param {Alert} alert */
export function alertText({ kind, zone, limit, value }) {
  const minutes = kind.endsWith("_minutes");
  const id = `alert-${kind.replaceAll("_", "-")}`;
  if (!hasText(id)) return text("alert-other", { kind, limit });
  return text(id, { zone: zone ?? "", limit, value, duration: duration(minutes ? limit * 60 : limit) });
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
    setText(row.children[1], text("alert-since", { alert: alertText(alert), time: when(alert.since) }));
  });
}
