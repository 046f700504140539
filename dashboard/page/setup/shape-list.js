/** The list of a setup's shapes, with their names, problems and buttons. */

/** @import { Draft, DraftShape } from "./draft.js" */
/** @import { Sketch } from "./sketch.js" */

import { element, setAttribute, setShown, setText, syncChildren } from "../base/elements.js";
import { capitalised, text } from "../base/language.js";

export class ShapeList {
  /** @param {HTMLElement} list @param {Sketch} sketch @param {() => Draft} draft @param {() => void} changed */
  constructor(list, sketch, draft, changed) {
    this.list = list;
    this.sketch = sketch;
    this.draft = draft;
    this.changed = changed;
  }

  /** @param {(shape: DraftShape) => string} problem returns what is wrong with a shape */
  show(problem) {
    const { shapes } = this.draft();
    const rows = syncChildren(
      this.list,
      shapes.map(({ id }) => String(id)),
      (key) => this.#row(Number(key)),
    );
    rows.forEach((row, index) => this.#fill(row, shapes[index], problem(shapes[index])));
  }

  /** @param {number} id */
  #row(id) {
    const shape = () => this.draft().get(id);
    const act = (/** @type {(shape: DraftShape) => void} */ action) => () => {
      const found = shape();
      if (found) action(found);
    };
    const [name, title] = [element("input", { type: "text", maxlength: "64" }), element("span", { class: "kind" })];
    const [turn, remove] = ["setup-reverse", "setup-delete"].map((id) => element("button", { type: "button" }, text(id)));
    name.addEventListener(
      "change",
      act((one) => this.#rename(one, /** @type {HTMLInputElement} */ (name).value)),
    );
    name.addEventListener(
      "focus",
      act((one) => this.#select(one)),
    );
    turn.addEventListener(
      "click",
      act((one) => this.sketch.reverse(one)),
    );
    remove.addEventListener(
      "click",
      act((one) => this.sketch.remove(one)),
    );
    return element("li", {}, title, name, turn, remove, element("p", { class: "problem" }));
  }

  /** @param {DraftShape} shape @param {string} name */
  #rename(shape, name) {
    if (name === shape.name) return;
    this.draft().rename(shape, name);
    this.changed();
    const problem = this.draft().problem(shape);
    this.sketch.say(problem && text("setup-wrong", { shape: this.draft().nameOf(shape), problem }));
  }

  /** @param {DraftShape} shape */
  #select(shape) {
    this.sketch.selected = shape.id;
    this.changed();
  }

  /** @param {HTMLElement} row @param {DraftShape} shape @param {string} problem */
  #fill(row, shape, problem) {
    const [title, name, turn, remove, reason] = row.children;
    const [kind, shown] = [text(`setup-${shape.kind}`), { shape: this.draft().nameOf(shape) }];
    const input = /** @type {HTMLInputElement} */ (name);
    row.classList.toggle("selected", shape.id === this.sketch.selected);
    setText(title, capitalised(shape.kind === "mask" ? shown.shape : kind));
    setShown(input, shape.kind !== "mask");
    if (input.value !== shape.name && document.activeElement !== input) input.value = shape.name;
    setAttribute(input, "aria-label", text("setup-name-of", shown));
    setAttribute(input, "aria-invalid", problem ? "true" : null);
    setShown(/** @type {HTMLElement} */ (turn), shape.kind === "line");
    setAttribute(turn, "aria-label", text("setup-reverse-shape", shown));
    setAttribute(remove, "aria-label", text("setup-delete-shape", shown));
    setText(reason, problem && text("setup-this", { kind, problem }));
  }
}
