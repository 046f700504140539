/** Sends the names of the place and of its labels to the server. */

/** @import { Site } from "../base/messages.js" */

import { text } from "../base/language.js";

const TIMEOUT = 15_000; // milliseconds

/** Saves a site. Returns what went wrong; empty if it was saved. @param {Site} site @param {() => void} signIn @returns {Promise<string>} */
export async function saveSite(site, signIn) {
  try {
    const response = await fetch("/site", { method: "PUT", body: JSON.stringify(site), signal: AbortSignal.timeout(TIMEOUT) });
    if (response.status === 401) signIn();
    const { problem = "", at = "" } = await response.json();
    return response.ok ? "" : [at, problem].filter(Boolean).join(": ");
  } catch {
    return text("site-no-response");
  }
}
