/** The modules: their states and metrics. */

/** @import { Module } from "../base/messages.js" */
/** @import { Broker } from "../base/broker.js" */
/** @import { Clock, SiteTime } from "../base/times.js" */

import { text } from "../base/language.js";
import { byId, element, syncChildren, setAttribute, setShown, setText } from "../base/elements.js";
import { detailWords, metricName, metricText, mainMetrics, moduleWords, rate } from "../base/words.js";

const MODULE_ORDER = ["capture", "classifier", "counter", "bridge", "dashboard", "display"]; // the path of a frame
const SEVERITY_ORDER = ["bad", "warn", "idle", "good"];

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

  /** Returns the names sorted by severity, good ones and then absent ones last, and in MODULE_ORDER. */
  #sorted() {
    const index = (/** @type {string} */ name) => {
      const state = this.broker.stateOf(name);
      return state === "absent" ? SEVERITY_ORDER.length : SEVERITY_ORDER.indexOf(moduleWords(state).severity);
    };
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
    setText(since, time === null ? "" : text("since", { time: this.site.since(time, now) }));
    setText(main, metrics.join(" · "));
    const why = state === "unknown" || state === "absent" ? "" : detailWords(module.detail);
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
  const summary = element("summary", { "aria-label": text("system-metrics-of", { name }) }, text("system-metrics"));
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
    const value = metricText(name, metrics[name]);
    setText(row.children[1], Object.hasOwn(rates, name) ? text("system-per-second", { value, rate: rate(rates[name]) }) : value);
  });
}
