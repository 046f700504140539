/** The banner that says when visitors belong to the demo. */

/** @import { State } from "../base/messages.js" */

import { listed, text } from "../base/language.js";

/** @param {Pick<State, "today" | "cameras">} state @returns {string} empty without a demo */
export function demoText({ today: { report }, cameras }) {
  if (report?.demo) return text("demo-only");
  const counted = demoCameras(report?.cameras ?? {});
  if (counted.length) return text("demo-counted", { cameras: listed(counted) });
  const live = demoCameras(Object.fromEntries(Object.entries(cameras).filter(([, { state }]) => state === "live")));
  return live.length ? text("demo-live", { cameras: listed(live) }) : "";
}

/** @param {Record<string, {demo: boolean}>} cameras @returns {string[]} the names of the demo's cameras */
function demoCameras(cameras) {
  return Object.entries(cameras).flatMap(([name, { demo }]) => (demo ? [name] : []));
}
