/** The live view: a card for each camera, and the asking for pictures. */

/** @import { State } from "./messages.js" */
/** @import { LabelColours } from "./colours.js" */
/** @import { Broker } from "./broker.js" */
/** @import { SiteTime } from "./times.js" */

import { CameraCard } from "./camera.js";
import { byId, keyed, setShown } from "./elements.js";
import { parsePicture } from "./picture.js";

const PAUSE_AFTER_BROKEN = 1000; // milliseconds before another picture is asked for when one could not be decoded

export class Live {
  /** @type {Map<string, CameraCard>} */
  #cards = new Map();
  /** Cameras whose card can be seen. @type {Set<string>} */
  #inView = new Set();
  /** Cameras of which a picture is on its way, or being drawn. @type {Set<string>} */
  #awaited = new Set();
  /** Counts connections, as a picture of the last one must not be taken for one that was asked for on this one. */
  #connection = 0;
  #rules = { threshold: 0, background: /** @type {string[]} */ ([]) };
  #observer = new IntersectionObserver((entries) => this.#looked(entries));

  /** @param {(camera: string) => boolean} want @param {LabelColours} colours @param {Broker} broker @param {SiteTime} site */
  constructor(want, colours, broker, site) {
    this.want = want;
    this.make = (/** @type {string} */ name) => new CameraCard(name, colours, broker, site);
    document.addEventListener("visibilitychange", () => this.#ask());
  }

  /** @param {State} state */
  show({ cameras, rules }) {
    this.#rules = rules;
    const names = Object.keys(cameras).sort();
    keyed(byId("cameras"), names, (name) => this.#added(name)).forEach((_, place) =>
      this.#cards.get(names[place])?.show(cameras[names[place]], names.length > 1),
    );
    for (const name of this.#cards.keys()) if (!Object.hasOwn(cameras, name)) this.#removed(name);
    setShown(byId("no-camera"), names.length === 0);
    this.#ask();
  }

  /** A new connection knows nothing of what was asked for on the last one. */
  connected() {
    this.#connection += 1;
    this.#awaited.clear();
    this.#ask();
  }

  /** @param {ArrayBuffer} bytes */
  async picture(bytes) {
    const [arrivedAt, connection] = [performance.now(), this.#connection];
    const { header, jpeg } = parsePicture(bytes);
    try {
      await this.#cards.get(header.camera)?.draw(header, jpeg, this.#rules, arrivedAt);
    } catch (error) {
      console.warn(`a picture of ${header.camera} cannot be shown`, error);
      await new Promise((resume) => setTimeout(resume, PAUSE_AFTER_BROKEN));
    }
    if (connection !== this.#connection) return;
    this.#awaited.delete(header.camera);
    this.#ask();
  }

  tick() {
    for (const card of this.#cards.values()) card.tick();
  }

  /** Asks for one picture of each camera that somebody can see, and that is not asked for already. */
  #ask() {
    if (document.hidden) return;
    for (const name of this.#inView) if (!this.#awaited.has(name) && this.want(name)) this.#awaited.add(name);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #looked(entries) {
    for (const { target, isIntersecting } of entries) {
      const name = /** @type {HTMLElement} */ (target).dataset.camera ?? "";
      if (isIntersecting) this.#inView.add(name);
      else this.#inView.delete(name);
    }
    this.#ask();
  }

  /** @param {string} name */
  #added(name) {
    const card = this.make(name);
    this.#cards.set(name, card);
    this.#observer.observe(card.node);
    return card.node;
  }

  /** @param {string} name */
  #removed(name) {
    const card = this.#cards.get(name);
    if (card) this.#observer.unobserve(card.node);
    this.#cards.delete(name);
    this.#inView.delete(name);
    this.#awaited.delete(name);
  }
}
