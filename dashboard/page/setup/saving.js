/** Sends a camera's setup to the server. */

/** @import { Setup } from "../base/messages.js" */

import { text } from "../base/language.js";

const TIMEOUT = 15_000; // milliseconds

/**
 * Saves a setup, or deletes it if it is null. Returns an empty problem if that worked; `at` is the path of the problem.
 *
 * @param {string} camera
 * @param {Partial<Setup> | null} setup
 * @param {() => void} signIn
 * @returns {Promise<{problem: string, at: string}>}
 */
export async function saveSetup(camera, setup, signIn) {
  try {
    const response = await fetch(`/cameras/${encodeURIComponent(camera)}/setup`, {
      method: setup ? "PUT" : "DELETE",
      body: setup && JSON.stringify(setup),
      signal: AbortSignal.timeout(TIMEOUT),
    });
    if (response.status === 401) signIn();
    const { problem = "", at = "" } = await response.json();
    return { problem: response.ok ? "" : problem, at };
  } catch {
    return { problem: text("setup-no-response"), at: "" };
  }
}
