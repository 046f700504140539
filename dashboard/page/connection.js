/** The WebSocket to the server: opened again by itself whenever it is lost, with growing pauses. */

/**
 * @typedef {"connecting" | "connected" | "disconnected" | "refused"} ConnectionState
 * @typedef {{
 *   message: (text: string) => void,
 *   picture: (bytes: ArrayBuffer) => void,
 *   changed: () => void,
 *   signIn: () => void,
 * }} Listener
 */

const SIGN_IN_NEEDED = 4401;
const REFUSED = 4403;
const SILENCE = 15_000; // milliseconds; the server says something every four seconds, so that a line without is dead
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;

export class Connection {
  /** @type {ConnectionState} */
  state = "connecting";
  /** Why the server refused this page. */
  reason = "";
  /** @type {WebSocket | null} */
  #socket = null;
  #receivedAt = 0;
  #retryAt = 0;
  #failures = 0;

  /** @param {string} address @param {Listener} listener */
  constructor(address, listener) {
    this.address = address;
    this.listener = listener;
  }

  /** Opens a connection in place of the one that may be there. */
  open() {
    this.#abandon();
    const socket = new WebSocket(this.address);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.#onMessage(data);
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
    this.#socket = socket;
    this.#receivedAt = performance.now();
    if (this.state !== "disconnected") this.#become("connecting");
  }

  /** To be called about once a second: tries again when it is time, and gives up a line on which nothing comes. */
  tick() {
    const now = performance.now();
    if (this.#socket === null) {
      if (this.state !== "refused" && now >= this.#retryAt) this.open();
    } else if (now - this.#receivedAt > SILENCE) this.#closed(0, "");
  }

  /** To be called when the network is back, or the page is looked at again: there is no need to wait out the pause. */
  wake() {
    if (this.#socket === null && this.state !== "refused") this.open();
  }

  /** Asks for one picture of a camera. @param {string} camera @returns {boolean} whether it could be asked */
  want(camera) {
    if (this.state !== "connected" || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify({ want: camera }));
    return true;
  }

  /** Whole seconds until the next try; 0 while one is under way. */
  get secondsToRetry() {
    return this.#socket ? 0 : Math.max(0, Math.ceil((this.#retryAt - performance.now()) / 1000));
  }

  /** @param {string | ArrayBuffer} data */
  #onMessage(data) {
    this.#receivedAt = performance.now();
    if (typeof data !== "string") return this.listener.picture(data);
    this.listener.message(data);
    this.#failures = 0;
    this.#become("connected");
  }

  /** @param {number} code @param {string} reason */
  #closed(code, reason) {
    this.#abandon();
    this.reason = reason;
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#failures);
    this.#failures += 1;
    // by chance, so that pages that lost the same server do not come back all at once
    this.#retryAt = performance.now() + pause * (0.5 + Math.random() / 2);
    if (code === SIGN_IN_NEEDED) this.listener.signIn();
    this.#become(code === REFUSED ? "refused" : "disconnected");
  }

  /** A socket that is half dead may take minutes to say that it closed: nobody waits for it. */
  #abandon() {
    if (!this.#socket) return;
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }

  /** @param {ConnectionState} state */
  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.listener.changed();
  }
}
