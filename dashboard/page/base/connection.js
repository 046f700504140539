/** The WebSocket to the server, which reconnects with backoff. */

/**
 * @typedef {"connecting" | "connected" | "disconnected" | "refused"} ConnectionState
 * @typedef {{
 *   onMessage: (text: string) => void,
 *   onPicture: (bytes: ArrayBuffer) => void,
 *   onChange: () => void,
 *   signIn: () => void,
 * }} Listener
 */

const SIGN_IN_NEEDED = 4401;
const REFUSED = 4403;
const TIMEOUT = 15_000; // milliseconds without a message; the server sends one every four seconds
const MIN_BACKOFF = 500;
const MAX_BACKOFF = 10_000;

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

  /** Opens a connection, and discards any previous one. */
  open() {
    this.#discardSocket();
    const socket = new WebSocket(this.address);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.#onMessage(data);
    socket.onclose = ({ code, reason }) => this.#onClose(code, reason);
    this.#socket = socket;
    this.#receivedAt = performance.now();
    if (this.state !== "disconnected") this.#setState("connecting");
  }

  /** Retries when the backoff has passed, and closes a connection that has timed out. Call it about once a second. */
  tick() {
    const now = performance.now();
    if (this.#socket === null) {
      if (this.state !== "refused" && now >= this.#retryAt) this.open();
    } else if (now - this.#receivedAt > TIMEOUT) this.#onClose(0, "");
  }

  /** Reconnects without backoff. Call it when the network is back or the page becomes visible. */
  reconnect() {
    if (this.#socket === null && this.state !== "refused") this.open();
  }

  /** Requests one picture of a camera. @param {string} camera @returns {boolean} whether the request was sent */
  requestPicture(camera) {
    if (this.state !== "connected" || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify({ want: camera }));
    return true;
  }

  /** Seconds until the next attempt, rounded up; 0 during an attempt. */
  get secondsToRetry() {
    return this.#socket ? 0 : Math.max(0, Math.ceil((this.#retryAt - performance.now()) / 1000));
  }

  /** @param {string | ArrayBuffer} data */
  #onMessage(data) {
    this.#receivedAt = performance.now();
    if (typeof data !== "string") return this.listener.onPicture(data);
    this.listener.onMessage(data);
    this.#failures = 0;
    this.#setState("connected");
  }

  /** @param {number} code @param {string} reason */
  #onClose(code, reason) {
    this.#discardSocket();
    this.reason = reason;
    const backoff = Math.min(MAX_BACKOFF, MIN_BACKOFF * 2 ** this.#failures);
    this.#failures += 1;
    // random, so that not all pages reconnect to a restarted server at once
    this.#retryAt = performance.now() + backoff * (0.5 + Math.random() / 2);
    if (code === SIGN_IN_NEEDED) this.listener.signIn();
    this.#setState(code === REFUSED ? "refused" : "disconnected");
  }

  /** Closes the socket without waiting for its close event, which can take minutes on a dead connection. */
  #discardSocket() {
    if (!this.#socket) return;
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }

  /** @param {ConnectionState} state */
  #setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.listener.onChange();
  }
}
