/** The banner that says when visitors belong to the demo. */

/** @import { State } from "./messages.js" */

/** @param {State} state @returns {string} empty without a demo */
export function demoText({ today: { report }, cameras }) {
  if (report?.demo) return "Demo: these visitors are not real. They are drawn, or the model only knows drawn figures.";
  const counted = demoCameras(report?.cameras ?? {});
  if (counted) return `Demo at ${counted}: visitors there are not real. The totals of all cameras exclude them.`;
  const live = demoCameras(Object.fromEntries(Object.entries(cameras).filter(([, { state }]) => state === "live")));
  return live ? `Demo at ${live}: visitors there are not real. Today's totals exclude them.` : "";
}

/** @param {Record<string, {demo: boolean}>} cameras @returns {string} the names of the demo's cameras */
function demoCameras(cameras) {
  return Object.entries(cameras).flatMap(([name, { demo }]) => (demo ? [name] : [])).join(", ");
}
