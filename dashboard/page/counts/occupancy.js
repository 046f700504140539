/** Who is where: the visitors in zones, and of several cameras, who is inside by the lines of each. */

/** @import { Broker } from "../base/broker.js" */
/** @import { Occupancy, State } from "../base/messages.js" */
/** @import { ZoneDay } from "./flow.js" */
/** @import { Clock, SiteTime } from "../base/times.js" */

import { number, text } from "../base/language.js";
import { byId, element, setShown, setText, syncChildren } from "../base/elements.js";
import { meanStay, zonesOf } from "./flow.js";
import { sumOf } from "./report.js";
import { shapesAt } from "../live/shapes.js";
import { duration } from "../base/times.js";

/**
 * What is shown of a camera: figures by the lines with a note, and a row for each zone.
 * @typedef {{camera: string, figures: [string, string][], note: string, zones: {name: string, text: string}[]}} Shown
 */

export class OccupancyList {
  /** @type {State | null} */
  #state = null;
  #camera = /** @type {HTMLSelectElement} */ (byId("counted-camera"));

  /** @param {Broker} broker @param {Clock} clock @param {SiteTime} site */
  constructor(broker, clock, site) {
    this.broker = broker;
    this.clock = clock;
    this.site = site;
    this.#camera.addEventListener("change", () => this.#render());
  }

  /** @param {State} state */
  show(state) {
    this.#state = state;
    this.#render();
  }

  #render() {
    if (!this.#state) return;
    const isCounting = this.broker.isReporting("counter");
    const shown = occupanciesOf(this.#state, this.#camera.value, isCounting, (time) => this.site.since(time, this.clock.now));
    const isNamed = Object.keys(this.#state.cameras).length > 1;
    setShown(byId("occupancy"), shown.length > 0);
    syncChildren(
      byId("occupancy"),
      shown.map(({ camera }) => camera),
      createSection,
    ).forEach((node, index) => fill(node, shown[index], isNamed));
  }
}

/**
 * Returns the cameras with lines or zones. Without the counter nobody knows who is inside now. A model that looks at whole pictures
 * counts neither.
 *
 * @param {State} state
 * @param {string} selected name of a camera; empty: all cameras
 * @param {boolean} isCounting whether the counter is running
 * @param {(time: number) => string} since
 * @returns {Shown[]}
 */
export function occupanciesOf(state, selected, isCounting, since) {
  const names = Object.keys(state.cameras)
    .filter((name) => selected === "" || name === selected)
    .sort();
  return names.flatMap((camera) => {
    const shapes = shapesAt(state, camera);
    const occupancy = isCounting ? state.cameras[camera].occupancy : null;
    const hasLines = shapes.some(({ kind }) => kind === "line");
    const counts = zonesOf(state.today.report, camera);
    const zones = shapes.flatMap(({ kind, name }) =>
      kind === "zone" ? [{ name, text: zoneText(name, occupancy, counts) }] : [],
    );
    if (!hasLines && zones.length === 0) return [];
    if (state.cameras[camera].whole_pictures) return [{ camera, figures: [], note: text("whole-pictures"), zones: [] }];
    return [
      { camera, figures: hasLines ? figures(occupancy) : [], note: hasLines && occupancy ? note(occupancy, since) : "", zones },
    ];
  });
}

/** @param {Occupancy | null} occupancy @returns {[string, string][]} */
function figures(occupancy) {
  const isKnown = occupancy !== null && occupancy.inside !== null;
  const values = isKnown ? [occupancy.entered, occupancy.left, occupancy.inside ?? 0].map((one) => number(one)) : ["–", "–", "–"];
  return ["in", "out", "inside"].map((name, index) => [text(name), values[index]]);
}

/** @param {Occupancy} occupancy @param {(time: number) => string} since */
function note({ since: begun, drift }, since) {
  const parts = [begun === null ? "" : text("inside-since", { time: since(begun) }), drift ? text("drift", { visitors: drift }) : ""];
  return parts.filter(Boolean).join("; ");
}

/** @param {string} name @param {Occupancy | null} occupancy @param {ZoneDay[]} counts */
function zoneText(name, occupancy, counts) {
  const day = counts.find((zone) => zone.name === name);
  const visits = day ? sumOf([...day.visits.values()].flatMap((hours) => [...hours.values()])) : 0;
  const mean = day ? meanStay(day) : null;
  const now = occupancy && Object.hasOwn(occupancy.zones, name) ? text("zone-now", { visitors: occupancy.zones[name] }) : "";
  const today = mean === null ? text("zone-empty") : text("zone-today", { visits, mean: duration(mean) });
  return [now, today].filter(Boolean).join(", ");
}

/**
 * Returns how many are inside by the lines of the selected cameras together; null if nobody knows.
 *
 * @param {State} state
 * @param {string} selected name of a camera; empty: all cameras
 * @param {boolean} isCounting whether the counter is running
 */
export function insideOf(state, selected, isCounting) {
  const cameras = Object.entries(state.cameras).filter(([name]) => selected === "" || name === selected);
  const known = cameras.flatMap(([, { occupancy }]) => (occupancy && occupancy.inside !== null ? [occupancy.inside] : []));
  return isCounting && known.length ? sumOf(known) : null;
}

/** @param {string} camera */
function createSection(camera) {
  return element(
    "section",
    { "data-camera": camera },
    element("h3"),
    element("dl"),
    element("p", { class: "note" }),
    element("ul"),
  );
}

/** @param {HTMLElement} node @param {Shown} shown @param {boolean} isNamed */
function fill(node, { camera, figures, note, zones }, isNamed) {
  const [title, list, text, rows] = /** @type {HTMLElement[]} */ ([...node.children]);
  setText(title, camera);
  title.classList.toggle("unseen", !isNamed);
  syncChildren(
    list,
    isNamed ? figures.map(([name]) => name) : [],
    (name) => element("div", {}, element("dt", {}, name), element("dd")),
  ).forEach((figure, index) => setText(figure.children[1], figures[index][1]));
  setText(text, note);
  syncChildren(
    rows,
    zones.map(({ name }) => name),
    (name) => element("li", {}, element("strong", {}, name), " ", element("span")),
  ).forEach((row, index) => setText(row.children[1], zones[index].text));
}
