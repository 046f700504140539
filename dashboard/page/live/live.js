/** The live view: a card for each camera, and the requests for pictures. */

/** @import { State } from "../base/messages.js" */
/** @import { Labels } from "../base/labels.js" */
/** @import { Broker } from "../base/broker.js" */
/** @import { SiteTime } from "../base/times.js" */

import { CameraCard } from "./camera.js";
import { remember, remembered } from "../base/memory.js";
import { byId, setAttribute, setShown, syncChildren } from "../base/elements.js";
import { parsePicture } from "./picture.js";
import { shapesAt } from "./shapes.js";

const BROKEN_PICTURE_DELAY = 1000; // milliseconds before the next request after a picture that could not be decoded

const PLANS = "footfall plans"; // where the browser remembers whether lines and zones are shown

export class Live {
  /** @type {Map<string, CameraCard>} */
  #cards = new Map();
  /** Cameras whose card is visible. @type {Set<string>} */
  #inView = new Set();
  /** Cameras whose picture is requested or being drawn. @type {Set<string>} */
  #requested = new Set();
  /** Number of the connection: a picture from an earlier one must not count as the answer to a request on this one. */
  #connection = 0;
  #rules = { threshold: 0 };
  /** The camera that is set up: its picture is in the dialog. @type {string | null} */
  #edited = null;
  #observer = new IntersectionObserver((entries) => this.#onIntersection(entries));

  /**
   * @param {(name: string) => boolean} request
   * @param {Labels} labels
   * @param {Broker} broker
   * @param {SiteTime} site
   * @param {(card: CameraCard) => void} setUp
   */
  constructor(request, labels, broker, site, setUp) {
    this.requestPicture = request;
    this.createCard = (/** @type {string} */ name) => new CameraCard(name, labels, broker, site, setUp);
    byId("show-plans").addEventListener("click", () => this.#togglePlans());
    this.#showPlans(remembered(PLANS) !== "no");
    document.addEventListener("visibilitychange", () => this.#requestPictures());
  }

  /** @param {State} state */
  show({ cameras, rules }) {
    this.#rules = rules;
    const names = Object.keys(cameras).sort();
    syncChildren(byId("cameras"), names, (name) => this.#addCard(name)).forEach((_, index) =>
      this.#cards.get(names[index])?.show(cameras[names[index]]),
    );
    for (const name of this.#cards.keys()) if (!Object.hasOwn(cameras, name)) this.#removeCard(name);
    setShown(byId("no-camera"), names.length === 0);
    this.#requestPictures();
  }

  /** Draws lines and zones over the pictures. @param {State} state */
  showSetups(state) {
    for (const [name, card] of this.#cards) card.showSetup(shapesAt(state, name), state.may_set_up);
    setShown(
      byId("show-plans"),
      [...this.#cards.values()].some(({ hasPlan }) => hasPlan),
    );
  }

  #togglePlans() {
    this.#showPlans(byId("show-plans").getAttribute("aria-pressed") !== "true");
  }

  /** @param {boolean} shown */
  #showPlans(shown) {
    setAttribute(byId("show-plans"), "aria-pressed", String(shown));
    byId("cameras").classList.toggle("without-plans", !shown);
    remember(PLANS, shown ? "yes" : "no");
  }

  /** Keeps the picture of a camera moving while it is set up; null: no more. @param {string | null} camera */
  edit(camera) {
    this.#edited = camera;
    this.#requestPictures();
  }

  /** Repeats requests, because a new connection does not know those of the last one. */
  connected() {
    this.#connection += 1;
    this.#requested.clear();
    this.#requestPictures();
  }

  /** @param {ArrayBuffer} bytes */
  async onPicture(bytes) {
    const [arrivedAt, connection] = [performance.now(), this.#connection];
    const { header, jpeg } = parsePicture(bytes);
    try {
      await this.#cards.get(header.camera)?.draw(header, jpeg, this.#rules, arrivedAt);
    } catch (error) {
      console.warn(`cannot show a picture of camera ${header.camera}`, error);
      await new Promise((resume) => setTimeout(resume, BROKEN_PICTURE_DELAY));
    }
    if (connection !== this.#connection) return;
    this.#requested.delete(header.camera);
    this.#requestPictures();
  }

  tick() {
    for (const card of this.#cards.values()) card.tick();
  }

  /** Requests one picture of each visible camera without a pending request. */
  #requestPictures() {
    if (document.hidden) return;
    const wanted = new Set(this.#edited === null ? this.#inView : [...this.#inView, this.#edited]);
    for (const name of wanted) if (!this.#requested.has(name) && this.requestPicture(name)) this.#requested.add(name);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #onIntersection(entries) {
    for (const { target, isIntersecting } of entries) {
      const name = /** @type {HTMLElement} */ (target).dataset.camera ?? "";
      if (isIntersecting) this.#inView.add(name);
      else this.#inView.delete(name);
    }
    this.#requestPictures();
  }

  /** @param {string} name */
  #addCard(name) {
    const card = this.createCard(name);
    this.#cards.set(name, card);
    this.#observer.observe(card.node);
    return card.node;
  }

  /** @param {string} name */
  #removeCard(name) {
    const card = this.#cards.get(name);
    if (card) this.#observer.unobserve(card.node);
    this.#cards.delete(name);
    this.#inView.delete(name);
    this.#requested.delete(name);
  }
}
