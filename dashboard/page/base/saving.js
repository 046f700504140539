/** Sends to the server what people changed. */

import { text } from "./language.js";

const TIMEOUT = 15_000; // milliseconds

/**
 * Replaces what is at a path of the server, or deletes it if the content is null. Returns an empty problem if that worked; `at` is
 * the part of the content that has the problem, such as "lines.0.name".
 *
 * @param {string} path
 * @param {object | null} content
 * @param {() => void} signIn
 * @returns {Promise<{problem: string, at: string}>}
 */
export async function save(path, content, signIn) {
  try {
    const response = await fetch(path, {
      method: content ? "PUT" : "DELETE",
      body: content && JSON.stringify(content),
      signal: AbortSignal.timeout(TIMEOUT),
    });
    if (response.status === 401) signIn();
    const { problem = "", at = "" } = await response.json();
    return { problem: response.ok ? "" : problem, at };
  } catch {
    return { problem: text("not-saved-no-response"), at: "" };
  }
}
