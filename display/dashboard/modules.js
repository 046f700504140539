/** The programs of the suite: the state of each with since when, and its figures. */

/** @import { Module } from "./messages.js" */
/** @import { Clock, SiteTime } from "./times.js" */

import { byId, element, keyed, setAttribute, setShown, setText } from "./elements.js";
import { figureName, figureText, mainFigures, moduleWords, rate } from "./words.js";

const CHAIN = ["capture", "classifier", "display", "bridge"]; // as frames and predictions go
const SILENT_AFTER = 30; // seconds; a module reports every ten

/** The module's state, or "silent" where its last report is too old to be believed. @param {Module} module @param {number} now */
export function stateOf({ state, at }, now) {
  return state !== "offline" && at !== null && now - at > SILENT_AFTER ? "silent" : state;
}

/** @param {Module} module @param {number} now */
export function sinceOf(module, now) {
  return stateOf(module, now) === "silent" ? module.at : module.since;
}

export class Modules {
  /** @type {Record<string, Module>} */
  #modules = {};

  /** @param {Clock} clock @param {SiteTime} site */
  constructor(clock, site) {
    this.clock = clock;
    this.site = site;
  }

  /** @param {Record<string, Module>} modules */
  show(modules) {
    this.#modules = modules;
    const names = inChain(Object.keys(modules));
    keyed(byId("module-list"), names, blank).forEach((node, place) => fillFigures(node, modules[names[place]]));
    setShown(byId("no-module"), names.length === 0);
    this.tick();
  }

  /** What changes with time alone: a module that has stopped reporting. */
  tick() {
    for (const node of byId("module-list").children) this.#state(/** @type {HTMLElement} */ (node));
  }

  /** @param {HTMLElement} node */
  #state(node) {
    const name = node.dataset.module ?? "";
    const [module, { now }] = [this.#modules[name], this.clock];
    const [[title, badge], [since, said], detail] = [node.children[0].children, node.children[1].children, node.children[2]];
    const [state, time] = [stateOf(module, now), sinceOf(module, now)];
    const words = moduleWords(state);
    const figures = state === "running" || state === "starting" ? mainFigures(module) : [];
    setAttribute(node, "data-state", state);
    setText(title, name);
    setText(badge, words.text);
    setAttribute(badge, "data-weight", words.weight);
    setText(since, time === null ? "" : `since ${this.site.since(time, now)}`);
    setText(said, (time !== null && figures.length ? " · " : "") + figures.join(" · "));
    setText(detail, [module.detail.replace(/\.$/, ""), words.advice].filter(Boolean).join(". "));
  }
}

/** @param {string[]} names */
function inChain(names) {
  const place = (/** @type {string} */ name) => CHAIN.findIndex((module) => name.startsWith(module)) >>> 0; // others come last
  return names.sort((one, other) => place(one) - place(other) || one.localeCompare(other));
}

/** @param {string} name */
function blank(name) {
  const summary = element("summary", {}, "figures", element("span", { class: "unseen" }, ` of ${name}`));
  const all = element("details", {}, summary, element("dl"));
  const head = element("div", { class: "head" }, element("h3"), element("span", { class: "badge" }));
  const said = element("p", { class: "said" }, element("span", { class: "since" }), element("span"));
  return element("li", { class: "module", "data-module": name }, head, said, element("p", { class: "detail" }), all);
}

/** @param {HTMLElement} node @param {Module} module */
function fillFigures(node, { figures: told, rates }) {
  const all = /** @type {HTMLElement} */ (node.querySelector("details"));
  const names = Object.keys(told).sort();
  setShown(all, names.length > 0);
  const list = /** @type {HTMLElement} */ (all.lastElementChild);
  keyed(list, names, () => element("div", {}, element("dt"), element("dd"))).forEach((row, place) => {
    const name = names[place];
    setText(row.children[0], figureName(name));
    setText(row.children[1], figureText(name, told[name]) + (Object.hasOwn(rates, name) ? ` (${rate(rates[name])} a second)` : ""));
  });
}
