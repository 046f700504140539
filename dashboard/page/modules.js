/** The modules: their states and metrics. */

/** @import { Module } from "./messages.js" */
/** @import { Broker } from "./broker.js" */
/** @import { Clock, SiteTime } from "./times.js" */

import { byId, element, syncChildren, setAttribute, setShown, setText } from "./elements.js";
import { detailWords, metricName, metricText, mainMetrics, moduleWords, rate } from "./words.js";

const MODULE_ORDER = ["capture", "classifier", "counter", "bridge", "dashboard", "display"]; // the path of a frame
const SEVERITY_ORDER = ["bad", "warn", "idle"];

export class Modules {
  /** @type {Record<string, Module>} */
  #modules = {};

  /** @param {Broker} broker @param {Clock} clock @param {SiteTime} site */
  constructor(broker, clock, site) {
    this.broker = broker;
    this.clock = clock;
    this.site = site;
  }

  /** @param {Record<string, Module>} modules */
  show(modules) {
    this.#modules = modules;
    this.tick();
    for (const node of items()) fillMetrics(node, modules[node.dataset.module ?? ""]);
    setShown(byId("no-module"), items().length === 0);
  }

  /** Updates modules that have stopped reporting. Called every second. */
  tick() {
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    syncChildren(byId("module-list"), this.#sorted(), createItem);
    if (focused !== document.activeElement) focused?.focus(); // moving an item removes the focus
    for (const node of items()) this.#showState(node);
  }

  /** Returns the names sorted by severity, good ones last, then in MODULE_ORDER. */
  #sorted() {
    const index = (/** @type {string} */ name) => SEVERITY_ORDER.indexOf(moduleWords(this.broker.stateOf(name)).severity) >>> 0;
    return inModuleOrder(Object.keys(this.#modules)).sort((one, other) => index(one) - index(other));
  }

  /** @param {HTMLElement} node */
  #showState(node) {
    const name = node.dataset.module ?? "";
    const [module, { now }] = [this.#modules[name], this.clock];
    const [[title, badge], [since, main], detail] = [node.children[0].children, node.children[1].children, node.children[2]];
    const [state, time] = [this.broker.stateOf(name), this.broker.sinceOf(name)];
    const words = moduleWords(state);
    const metrics = state === "running" || state === "starting" ? mainMetrics(module) : [];
    setAttribute(node, "data-state", state);
    setText(title, name);
    setText(badge, words.text);
    setAttribute(badge, "data-severity", words.severity);
    setText(since, time === null ? "" : `since ${this.site.since(time, now)}`);
    setText(main, (time !== null && metrics.length ? " · " : "") + metrics.join(" · "));
    const why = state === "unknown" ? "" : detailWords(module.detail);
    setText(detail, [why, words.advice].filter(Boolean).join(". "));
  }
}

function items() {
  return /** @type {HTMLElement[]} */ ([...byId("module-list").children]);
}

/** @param {string[]} names */
function inModuleOrder(names) {
  const index = (/** @type {string} */ name) => MODULE_ORDER.findIndex((module) => name.startsWith(module)) >>> 0; // others last
  return names.sort((one, other) => index(one) - index(other) || one.localeCompare(other));
}

/** @param {string} name */
function createItem(name) {
  const summary = element("summary", {}, "metrics", element("span", { class: "unseen" }, ` of ${name}`));
  const all = element("details", {}, summary, element("dl"));
  const head = element("div", { class: "head" }, element("h3"), element("span", { class: "badge" }));
  const status = element("p", { class: "status-line" }, element("span", { class: "since" }), element("span"));
  return element("li", { class: "module", "data-module": name }, head, status, element("p", { class: "detail" }), all);
}

/** @param {HTMLElement} node @param {Module} module */
function fillMetrics(node, { metrics, rates }) {
  const all = /** @type {HTMLElement} */ (node.querySelector("details"));
  const names = Object.keys(metrics).sort();
  setShown(all, names.length > 0);
  const list = /** @type {HTMLElement} */ (all.lastElementChild);
  syncChildren(list, names, () => element("div", {}, element("dt"), element("dd"))).forEach((row, index) => {
    const name = names[index];
    setText(row.children[0], metricName(name));
    setText(
      row.children[1],
      metricText(name, metrics[name]) + (Object.hasOwn(rates, name) ? ` (${rate(rates[name])} per second)` : ""),
    );
  });
}
