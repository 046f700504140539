/** Says when what is shown is the demo's, so that nobody takes drawn figures for visitors. */

/** @import { State } from "./messages.js" */

const PREFIX = "demo:"; // of the name of a model that knows drawn figures only

/** @param {State} state @returns {string} empty where nothing is the demo's */
export function demoText({ today: { report }, modules }) {
  if (report?.demo) return "Demo: these visitors are not real. The demo's model knows drawn figures only.";
  const cameras = Object.entries(report?.cameras ?? {}).flatMap(([name, { demo }]) => (demo ? [name] : []));
  if (cameras.length > 0) {
    return `Demo at ${cameras.join(", ")}: visitors there are not real, and are left out of the totals of all cameras.`;
  }
  const runs = Object.values(modules).some(({ figures }) => String(figures.model ?? "").startsWith(PREFIX));
  return runs ? "Demo: the demo's model is running. What it sees is not added to today's real visitors." : "";
}
