/** Says when what is shown is the demo's, so that nobody takes drawn figures for visitors. */

/** @import { State } from "./messages.js" */

/** @param {State} state @returns {string} empty where nothing is the demo's */
export function demoText({ today: { report }, cameras }) {
  if (report?.demo) return "Demo: these visitors are not real. They were drawn, or the model knows drawn figures only.";
  const counted = demosOf(report?.cameras ?? {});
  if (counted) return `Demo at ${counted}: visitors there are not real, and are left out of the totals of all cameras.`;
  const live = demosOf(Object.fromEntries(Object.entries(cameras).filter(([, { state }]) => state === "live")));
  return live ? `Demo at ${live}: visitors there are not real, and are not added to today's real visitors.` : "";
}

/** @param {Record<string, {demo: boolean}>} cameras @returns {string} the names of those that are the demo's */
function demosOf(cameras) {
  return Object.entries(cameras).flatMap(([name, { demo }]) => (demo ? [name] : [])).join(", ");
}
