/** The programs of the suite: the state of each with since when, and its metrics. */

/** @import { Module } from "./messages.js" */
/** @import { Broker } from "./broker.js" */
/** @import { Clock, SiteTime } from "./times.js" */

import { byId, element, keyed, setAttribute, setShown, setText } from "./elements.js";
import { detailWords, metricName, metricText, mainMetrics, moduleWords, rate } from "./words.js";

const CHAIN = ["capture", "classifier", "counter", "bridge", "dashboard", "display"]; // as frames and results go
const TROUBLE = ["bad", "warn", "idle"]; // weights, in the order in which they are to be seen

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

  /** What changes with time alone: a module that has stopped reporting. */
  tick() {
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    keyed(byId("module-list"), this.#order(), blank);
    if (focused !== document.activeElement) focused?.focus(); // an item that is moved loses it
    for (const node of items()) this.#state(node);
  }

  /** Trouble comes first, what is well (no place in TROUBLE) last, each in the order of the chain. */
  #order() {
    const place = (/** @type {string} */ name) => TROUBLE.indexOf(moduleWords(this.broker.stateOf(name)).weight) >>> 0;
    return inChain(Object.keys(this.#modules)).sort((one, other) => place(one) - place(other));
  }

  /** @param {HTMLElement} node */
  #state(node) {
    const name = node.dataset.module ?? "";
    const [module, { now }] = [this.#modules[name], this.clock];
    const [[title, badge], [since, said], detail] = [node.children[0].children, node.children[1].children, node.children[2]];
    const [state, time] = [this.broker.stateOf(name), this.broker.sinceOf(name)];
    const words = moduleWords(state);
    const metrics = state === "running" || state === "starting" ? mainMetrics(module) : [];
    setAttribute(node, "data-state", state);
    setText(title, name);
    setText(badge, words.text);
    setAttribute(badge, "data-weight", words.weight);
    setText(since, time === null ? "" : `since ${this.site.since(time, now)}`);
    setText(said, (time !== null && metrics.length ? " · " : "") + metrics.join(" · "));
    const why = state === "unknown" ? "" : detailWords(module.detail);
    setText(detail, [why, words.advice].filter(Boolean).join(". "));
  }
}

function items() {
  return /** @type {HTMLElement[]} */ ([...byId("module-list").children]);
}

/** @param {string[]} names */
function inChain(names) {
  const place = (/** @type {string} */ name) => CHAIN.findIndex((module) => name.startsWith(module)) >>> 0; // others come last
  return names.sort((one, other) => place(one) - place(other) || one.localeCompare(other));
}

/** @param {string} name */
function blank(name) {
  const summary = element("summary", {}, "metrics", element("span", { class: "unseen" }, ` of ${name}`));
  const all = element("details", {}, summary, element("dl"));
  const head = element("div", { class: "head" }, element("h3"), element("span", { class: "badge" }));
  const said = element("p", { class: "said" }, element("span", { class: "since" }), element("span"));
  return element("li", { class: "module", "data-module": name }, head, said, element("p", { class: "detail" }), all);
}

/** @param {HTMLElement} node @param {Module} module */
function fillMetrics(node, { metrics, rates }) {
  const all = /** @type {HTMLElement} */ (node.querySelector("details"));
  const names = Object.keys(metrics).sort();
  setShown(all, names.length > 0);
  const list = /** @type {HTMLElement} */ (all.lastElementChild);
  keyed(list, names, () => element("div", {}, element("dt"), element("dd"))).forEach((row, place) => {
    const name = names[place];
    setText(row.children[0], metricName(name));
    setText(
      row.children[1],
      metricText(name, metrics[name]) + (Object.hasOwn(rates, name) ? ` (${rate(rates[name])} a second)` : ""),
    );
  });
}
