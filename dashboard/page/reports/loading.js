/** Fetches the rows of reports. */

/** @import { Row } from "./sums.js" */

const TIMEOUT = 60_000; // milliseconds; the server waits up to 30 s for the first page
const OPENING_HOURS = "X-Opening-Hours";

/** Rows, and whether the site has opening hours. @typedef {{rows: Row[], hasOpeningHours: boolean}} Answer */

/** A report could not be fetched; `problem` is the server's words, or empty if it did not answer. */
export class NotLoaded extends Error {
  /** @param {number} status of HTTP; 0: no answer @param {string} problem */
  constructor(status, problem) {
    super(problem);
    this.status = status;
    this.problem = problem;
  }
}

/** Fetches reports for one choice at a time. An address that is needed twice is requested once. */
export class Loader {
  #stop = new AbortController();
  /** @type {Map<string, Promise<Answer>>} */
  #requests = new Map();

  /** Ends the requests for the choice before, and forgets their answers. */
  restart() {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#requests.clear();
  }

  /** Raises `NotLoaded`. @param {string} address @returns {Promise<Answer>} */
  load(address) {
    const request = this.#requests.get(address) ?? fetchRows(address, this.#stop.signal);
    this.#requests.set(address, request);
    return request;
  }
}

/** @param {string} address @param {AbortSignal} stop @returns {Promise<Answer>} */
async function fetchRows(address, stop) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(address, { cache: "no-store", signal: AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT)]) });
    const content = await response.json();
    if (response.ok) return { rows: content, hasOpeningHours: response.headers.has(OPENING_HOURS) };
    throw new NotLoaded(response.status, content.problem);
  } catch (error) {
    throw error instanceof NotLoaded ? error : new NotLoaded(0, "");
  }
}
