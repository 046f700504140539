/** The choice of a report: period, camera, what is counted, opening hours. */

/** @import { State } from "../base/messages.js" */
/** @import { Choice, Measure } from "./choice.js" */
/** @import { Unit } from "./periods.js" */

import { byId, element, setAttribute, setShown, setText, syncChildren } from "../base/elements.js";
import { text } from "../base/language.js";
import { shapesAt } from "../live/shapes.js";
import { isCurrent, MEASURES } from "./choice.js";
import { daysOf, neighbour, periodOf, periodTitle, unitOf } from "./periods.js";

export class Controls {
  /** @type {Choice} */
  #choice = { period: "", camera: "", measure: "visits", open: false };
  #now = "";
  /** @type {Set<string>} */
  #measures = new Set();
  #camera = /** @type {HTMLSelectElement} */ (byId("reports-camera"));
  #measure = /** @type {HTMLSelectElement} */ (byId("reports-measure"));
  #open = /** @type {HTMLInputElement} */ (byId("reports-open"));

  /** @param {(choice: Choice) => void} choose */
  constructor(choose) {
    const change = (/** @type {Partial<Choice>} */ part) => choose({ ...this.#choice, ...part });
    byId("reports-units").addEventListener("click", ({ target }) => {
      if (target instanceof HTMLButtonElement) change({ period: this.#inUnit(/** @type {Unit} */ (target.value)) });
    });
    byId("reports-previous").addEventListener("click", () => change({ period: neighbour(this.#choice.period, -1) }));
    byId("reports-next").addEventListener("click", () => change({ period: neighbour(this.#choice.period, 1) }));
    byId("reports-current").addEventListener("click", () => change({ period: periodOf(this.#unit, this.#now.slice(0, 10)) }));
    this.#camera.addEventListener("change", () => change({ camera: this.#camera.value }));
    this.#measure.addEventListener("change", () => change({ measure: /** @type {Measure} */ (this.#measure.value) }));
    this.#open.addEventListener("change", () => change({ open: this.#open.checked }));
  }

  /** Whether there is something to count by this measure. @param {Measure} measure */
  has(measure) {
    return this.#measures.has(measure);
  }

  /** @param {Choice} choice @param {string} now the site's time @param {State} state */
  show(choice, now, state) {
    [this.#choice, this.#now] = [choice, now];
    setText(byId("reports-title"), periodTitle(choice.period));
    for (const button of byId("reports-units").children) {
      setAttribute(button, "aria-pressed", String(/** @type {HTMLButtonElement} */ (button).value === this.#unit));
    }
    const isLast = isCurrent(choice, now);
    setAttribute(byId("reports-previous"), "aria-label", text("reports-previous", { unit: this.#unit }));
    setAttribute(byId("reports-next"), "aria-label", text("reports-next", { unit: this.#unit }));
    setAttribute(byId("reports-next"), "aria-disabled", isLast ? "true" : null);
    setText(byId("reports-current"), text("reports-current", { unit: this.#unit }));
    setAttribute(byId("reports-current"), "aria-pressed", String(isLast));
    this.#showMenus(state);
    this.#open.checked = choice.open;
    if (choice.open) this.setOpeningHours(true);
    const isPlain = choice.measure === "visits" && !choice.camera && !choice.open;
    const parts = [measureName(choice.measure), choice.camera, choice.open ? text("reports-open") : ""];
    setText(byId("reports-filter"), isPlain ? "" : parts.filter(Boolean).join(" · "));
  }

  /** @param {boolean} areSet whether the site has opening hours */
  setOpeningHours(areSet) {
    setShown(byId("reports-opening"), areSet || this.#choice.open);
  }

  /** @returns {Unit} */
  get #unit() {
    return unitOf(this.#choice.period) ?? "week";
  }

  /**
   * Returns the period of another unit that is shown next: that of today, if today is in what is shown, else of its first day.
   *
   * @param {Unit} unit
   */
  #inUnit(unit) {
    const today = this.#now.slice(0, 10);
    const [first] = daysOf(this.#choice.period);
    return periodOf(unit, isCurrent(this.#choice, this.#now) ? today : first);
  }

  /** @param {State} state */
  #showMenus(state) {
    const { camera, measure } = this.#choice;
    const cameras = [
      ...new Set([...Object.keys(state.cameras), ...Object.keys(state.today.report?.cameras ?? {}), ...(camera ? [camera] : [])]),
    ];
    syncChildren(this.#camera, ["", ...cameras.sort()], (name) =>
      element("option", { value: name }, name || text("all-cameras")),
    );
    this.#camera.value = camera;
    setShown(byId("reports-cameras"), cameras.length > 1);
    const kinds = new Set((camera ? [camera] : cameras).flatMap((name) => shapesAt(state, name).map(({ kind }) => kind)));
    const possible = { visits: true, in: kinds.has("line"), out: kinds.has("line"), zones: kinds.has("zone") };
    this.#measures = new Set(MEASURES.filter((one) => possible[one] || one === measure));
    syncChildren(this.#measure, [...this.#measures], (one) =>
      element("option", { value: one }, measureName(/** @type {Measure} */ (one))),
    );
    this.#measure.value = measure;
    setShown(byId("reports-measures"), this.#measures.size > 1);
  }
}

/** @param {Measure} measure */
export function measureName(measure) {
  const names = { visits: "reports-visits", in: "reports-in", out: "reports-out", zones: "reports-zones" };
  return text(names[measure]);
}
