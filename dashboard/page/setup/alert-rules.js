/** The rules of alerts in the dialog: their list, and what each says. */

/** @import { Draft } from "./draft.js" */
/** @import { DraftRule, Fault, RuleKind } from "./rules.js" */

import { byId, element, setAttribute, setShown, setText, syncChildren } from "../base/elements.js";
import { text } from "../base/language.js";
import { KINDS, MAX_RULES, MEASURES, inIds, ruleName, ruleText } from "./rules.js";

/** @typedef {{name: HTMLInputElement, zone: HTMLSelectElement, limit: HTMLInputElement}} Fields of a rule */

export class AlertRules {
  #section = /** @type {HTMLDetailsElement} */ (byId("setup-alerts"));
  #default = /** @type {HTMLInputElement} */ (byId("setup-alerts-default"));
  #list = byId("setup-rules");
  #kind = /** @type {HTMLSelectElement} */ (byId("setup-rule-kind"));
  #add = /** @type {HTMLButtonElement} */ (byId("setup-add-rule"));

  /** @param {() => Draft} draft @param {() => void} changed @param {(text: string) => void} say to screen readers too */
  constructor(draft, changed, say) {
    this.draft = draft;
    this.changed = changed;
    this.say = say;
    this.#default.addEventListener("change", () => {
      this.draft().setOwnRules(!this.#default.checked);
      this.changed();
    });
    this.#add.addEventListener("click", () => this.#addRule());
  }

  /** @param {(rule: DraftRule) => Fault | null} fault returns what is wrong with a rule */
  show(fault) {
    const { rules, settingsRules } = this.draft();
    const shown = rules ?? settingsRules;
    const faults = shown.map(fault);
    const wrong = faults.filter(Boolean).length;
    setText(
      byId("setup-alerts-title"),
      text(rules ? "setup-alerts-own" : "setup-alerts-settings", { rules: shown.length, wrong }),
    );
    this.#default.checked = rules === null;
    this.#showKinds();
    setShown(byId("setup-new-rule"), rules !== null);
    setShown(byId("setup-rules-none"), shown.length === 0);
    this.#add.disabled = shown.length >= MAX_RULES;
    setShown(byId("setup-rules-most"), rules !== null && this.#add.disabled);
    setText(byId("setup-rules-most"), text("setup-rules-most", { most: MAX_RULES }));
    const keys = shown.map(({ id }, index) => (rules ? `${id}` : `settings ${index}`));
    syncChildren(this.#list, keys, () => (rules ? this.#row() : textRow())).forEach((row, index) => {
      setText(row.children[row.children.length - 1], sentence(faults[index]));
      if (rules) this.#fill(row, rules[index], faults[index]?.field ?? "");
      else setText(row.children[0], ruleText(shown[index]));
    });
  }

  /** Opens the section, and focuses a rule. @param {DraftRule} rule */
  focus(rule) {
    this.#section.open = true;
    const row = [...this.#list.children].find((one) => one instanceof HTMLElement && one.dataset.key === String(rule.id));
    if (!row) return;
    const { name, limit, zone } = fieldsOf(row);
    ([name, zone, limit].find((field) => field.hasAttribute("aria-invalid")) ?? limit).focus();
  }

  #showKinds() {
    syncChildren(this.#kind, KINDS, (kind) => element("option", { value: kind })).forEach((option, index) =>
      setText(option, text(`setup-rule-${inIds(KINDS[index])}`)),
    );
  }

  #addRule() {
    const rule = this.draft().addRule(/** @type {RuleKind} */ (this.#kind.value));
    this.changed();
    this.focus(rule);
    this.say(text("setup-rule-added", { rule: rule.name }));
  }

  /** @param {DraftRule} rule */
  #remove(rule) {
    this.draft().removeRule(rule.id);
    this.changed();
    this.#kind.focus();
    this.say(text("setup-rule-deleted", { rule: rule.name }));
  }

  #row() {
    const row = element(
      "li",
      {},
      element("strong", { class: "kind" }),
      element("button", { type: "button" }, text("setup-delete")),
      element(
        "span",
        { class: "named" },
        element("span", {}, text("setup-name")),
        element("input", { type: "text", maxlength: "64" }),
      ),
      element("span", { class: "zone" }, element("span", {}, text("setup-in-zone")), element("select")),
      element(
        "span",
        { class: "limit" },
        element("span"),
        element("input", { type: "number", step: "any", inputmode: "decimal" }),
        element("span"),
      ),
      element("p", { class: "problem" }),
    );
    const { name, zone, limit } = fieldsOf(row);
    const change = (/** @type {Partial<DraftRule>} */ values) => {
      this.draft().changeRule(Number(row.dataset.key), values);
      this.changed();
      this.say(row.querySelector(".problem")?.textContent ?? "");
    };
    name.addEventListener("change", () => change({ name: name.value }));
    zone.addEventListener("change", () => change({ zone: zone.value }));
    limit.addEventListener("change", () => change({ limit: Number.isNaN(limit.valueAsNumber) ? null : limit.valueAsNumber }));
    row.querySelector("button")?.addEventListener("click", () => {
      const rule = this.draft().rules?.find(({ id }) => String(id) === row.dataset.key);
      if (rule) this.#remove(rule);
    });
    return row;
  }

  /** @param {HTMLElement} row @param {DraftRule} rule @param {string} wrong the field that is wrong; empty if none is */
  #fill(row, rule, wrong) {
    const { unit, most, hasZone } = MEASURES[rule.kind];
    const fields = fieldsOf(row);
    const { name, zone, limit } = fields;
    const [kind, remove] = row.children;
    const [before, , after] = limit.parentElement?.children ?? [];
    const named = { shape: ruleName(rule), unit: text(`setup-unit-${unit}`) };
    setText(kind, text(`setup-rule-${inIds(rule.kind)}`));
    setAttribute(remove, "aria-label", text("setup-delete-shape", named));
    setValue(name, rule.name);
    setAttribute(name, "aria-label", text("setup-name-of", named));
    setText(before, text(`setup-limit-${unit}`));
    setText(after, named.unit);
    setValue(limit, rule.limit === null ? "" : String(rule.limit));
    setAttribute(limit, "max", String(most));
    setAttribute(limit, "aria-label", text("setup-limit-of", named));
    setShown(/** @type {HTMLElement} */ (zone.parentElement), hasZone ?? false);
    setAttribute(zone, "aria-label", text("setup-zone-of", named));
    if (hasZone) this.#showZones(zone, rule.zone ?? "");
    for (const [field, node] of Object.entries(fields)) setAttribute(node, "aria-invalid", field === wrong ? "true" : null);
  }

  /** Offers the zones that are drawn, and one that is not if the rule is about it. @param {HTMLSelectElement} menu @param {string} zone */
  #showZones(menu, zone) {
    const names = this.draft().zoneNames.filter(Boolean);
    const options = zone === "" || !names.includes(zone) ? [zone, ...names] : names;
    syncChildren(menu, options, (name) => element("option", { value: name })).forEach((option, index) => {
      const name = options[index];
      const isDrawn = names.includes(name);
      setText(option, name === "" ? text("setup-choose-zone") : isDrawn ? name : text("setup-zone-missing", { zone: name }));
    });
    menu.value = zone;
  }
}

/** @param {Element} row @returns {Fields} */
function fieldsOf(row) {
  const [name, zone, limit] = ["[type=text]", "select", "[type=number]"].map((selector) => row.querySelector(selector));
  return /** @type {Fields} */ ({ name, zone, limit });
}

/** Shows a value, but not in a field that is being edited. @param {HTMLInputElement} field @param {string} value */
function setValue(field, value) {
  if (field.value !== value && document.activeElement !== field) field.value = value;
}

/** Makes a row for a rule of the settings. */
function textRow() {
  return element("li", {}, element("p"), element("p", { class: "problem" }));
}

/** @param {Fault | null} fault */
function sentence(fault) {
  return fault ? text("setup-this", { kind: text("setup-rule"), problem: fault.problem }) : "";
}
