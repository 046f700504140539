/** The dialog in which lines, zones, masks, visitor classes and alerts of a camera are set up, on its live picture. */

/** @import { DraftShape } from "./draft.js" */
/** @import { Labels } from "../base/labels.js" */
/** @import { Setup, State } from "../base/messages.js" */
/** @import { Picture } from "../live/picture.js" */
/** @import { Kind } from "../live/shapes.js" */
/** @import { DraftRule, Fault } from "./rules.js" */

import { AlertRules } from "./alert-rules.js";
import { Draft } from "./draft.js";
import { byId, element, setAttribute, setShown, setText } from "../base/elements.js";
import { capitalised, text } from "../base/language.js";
import { save } from "../base/saving.js";
import { fieldAt, ruleName } from "./rules.js";
import { ownSetup } from "../live/shapes.js";
import { ShapeList } from "./shape-list.js";
import { Sketch } from "./sketch.js";
import { VisitorClasses } from "./visitor-classes.js";

/**
 * The camera that is set up, its picture, and the setup that it had at first, as `contentOf` returns it.
 * @typedef {{camera: string, picture: Picture, before: string}} Opened
 */

export class Editor {
  #dialog = /** @type {HTMLDialogElement} */ (byId("setup"));
  #draft = new Draft(null, { lines: [], zones: [], alerts: [] });
  #sketch = new Sketch(
    () => this.#draft,
    () => this.#render(),
    (text) => this.#say(text),
  );
  #list = new ShapeList(
    byId("setup-shapes"),
    this.#sketch,
    () => this.#draft,
    () => this.#render(),
  );
  #rules = new AlertRules(
    () => this.#draft,
    () => this.#render(),
    (text) => this.#say(text),
  );
  /** @type {VisitorClasses} */
  #classes;
  /** @type {Opened | null} */
  #opened = null;
  /** Keeps the place of the picture. */
  #placeholder = element("div", { class: "view" });
  /** @type {State | null} */
  #state = null;
  /** What the server refused, by the id of the shape. @type {Map<number, string>} */
  #refused = new Map();
  /** What the server refused, by the id of the rule. @type {Map<number, Fault>} */
  #refusedRules = new Map();
  #isSaving = false;
  /** The kind of shape drawn last. @type {Kind} */
  #tool = "line";

  /**
   * @param {Labels} labels
   * @param {(camera: string | null) => void} onEditing
   * @param {(text: string) => void} announce
   * @param {() => void} signIn
   */
  constructor(labels, onEditing, announce, signIn) {
    this.#classes = new VisitorClasses(
      labels,
      () => this.#draft,
      () => this.#render(),
    );
    this.onEditing = onEditing;
    this.announce = announce;
    this.signIn = signIn;
    for (const kind of /** @type {Kind[]} */ (["line", "zone", "mask"])) {
      byId(`setup-${kind}`).addEventListener("click", () => this.#start(kind));
    }
    for (const [name, action] of /** @type {[string, () => unknown][]} */ ([
      ["finish", () => this.#sketch.finish()],
      ["stop", () => this.#keepFocus(() => this.#sketch.cancel())],
      ["undo", () => this.#keepFocus(() => this.#undo())],
      ["save", () => this.#save()],
      ["cancel", () => this.#close()],
      ["reset", () => this.#reset(null, text("setup-is-reset"))],
      ["theirs", () => this.#keepFocus(() => this.#showTheirs())],
    ]))
      byId(`setup-${name}`).addEventListener("click", action);
    document.addEventListener("keydown", (event) => this.#opened && this.#onKey(event));
    this.#dialog.addEventListener("cancel", (event) => this.#escape(event));
    this.#dialog.addEventListener("close", () => this.#onClosed());
    new ResizeObserver(() => this.#opened && this.#sketch.render()).observe(this.#sketch.node);
  }

  /** @param {string} camera @param {Picture} picture */
  open(camera, picture) {
    if (!this.#state || this.#opened) return;
    this.#opened = { camera, picture, before: contentOf(ownSetup(this.#state, camera)) };
    this.#draft = new Draft(this.#own, this.#state.setup_defaults);
    this.#refused.clear();
    this.#refusedRules.clear();
    this.#sketch.selected = null;
    picture.node.replaceWith(this.#placeholder);
    byId("setup-picture").replaceChildren(picture.node);
    setAttribute(byId("setup-picture"), "data-camera", camera);
    picture.frame.append(this.#sketch.node);
    setText(byId("setup-title"), text("setup-title", { camera }));
    setText(byId("setup-problem"), "");
    this.#say("");
    this.onEditing(camera);
    this.#dialog.showModal();
    this.#render();
  }

  /** @param {State} state */
  show(state) {
    this.#state = state;
    if (this.#opened) this.#render();
  }

  /** The setup that the camera has now; null: none of its own. @returns {Setup | null} */
  get #own() {
    return this.#opened && this.#state && ownSetup(this.#state, this.#opened.camera);
  }

  #render() {
    if (!this.#opened || !this.#state) return;
    const { drawing } = this.#sketch;
    this.#sketch.render();
    this.#list.show((shape) => this.#draft.problem(shape) || (this.#refused.get(shape.id) ?? ""));
    this.#rules.show((rule) => this.#faultOf(rule));
    this.#classes.show(this.#state.model_classes, this.#state.visitor_labels);
    for (const kind of ["line", "zone", "mask"]) setAttribute(byId(`setup-${kind}`), "aria-pressed", String(drawing === kind));
    setShown(byId("setup-finish"), drawing === "zone" || drawing === "mask");
    setShown(byId("setup-stop"), drawing !== null);
    setShown(byId("setup-whole"), this.#state.cameras[this.#opened.camera]?.whole_pictures ?? false);
    setShown(byId("setup-none"), this.#draft.shapes.length === 0 && drawing === null);
    setShown(byId("setup-conflict"), contentOf(this.#own) !== this.#opened.before && !this.#state.broker.disconnected_since);
  }

  /** Shows a text, and tells it to screen readers. @param {string} text */
  #say(text) {
    setText(byId("setup-status"), text);
  }

  /** @param {Kind} kind */
  #start(kind) {
    this.#tool = kind;
    this.#sketch.start(kind);
  }

  /** Does what may remove the focused element; then the tool used last gets the focus. @template T @param {() => T} act @returns {T} */
  #keepFocus(act) {
    const focused = document.activeElement;
    const result = act();
    if (focused && !focused.checkVisibility()) byId(`setup-${this.#tool}`).focus();
    return result;
  }

  #undo() {
    this.#sketch.cancel();
    this.#say(text(this.#draft.undo() ? "setup-undone" : "setup-nothing-to-undo"));
    this.#render();
  }

  /** @param {Setup | null} own @param {string} text */
  #reset(own, text) {
    this.#sketch.cancel();
    this.#draft.reset(own);
    this.#say(text);
    this.#render();
  }

  /** Shows the setup that somebody else has saved meanwhile. */
  #showTheirs() {
    if (this.#opened) this.#opened.before = contentOf(this.#own);
    this.#reset(this.#own, text("setup-is-new"));
  }

  async #save() {
    if (!this.#opened || !this.#state || this.#isSaving) return;
    this.#sketch.cancel();
    const { camera } = this.#opened;
    const setup = this.#draft.setup();
    setText(byId("setup-problem"), "");
    this.#refused.clear();
    this.#refusedRules.clear();
    if (setup?.visitors?.length === 0) return this.#showRefusal(text("setup-no-classes"), null);
    const wrong = this.#draft.rules?.find((rule) => this.#draft.ruleFault(rule));
    if (wrong) return this.#showRefusedRule(wrong);
    this.#isSaving = true;
    const { problem, at } = await save(`/cameras/${encodeURIComponent(camera)}/setup`, setup, this.signIn);
    this.#isSaving = false;
    const rule = this.#draft.ruleAt(at);
    if (problem && rule) {
      this.#refusedRules.set(rule.id, { field: fieldAt(at), problem });
      return this.#showRefusedRule(rule);
    }
    if (problem) return this.#showRefusal(problem, this.#draft.at(at));
    const own = { lines: null, zones: null, mask: [], visitors: null, alerts: null, ...setup };
    this.#state.setups = { ...this.#state.setups, [camera]: own }; // until the server sends it, a moment later
    this.#close();
    this.announce(text("setup-saved", { camera }));
  }

  /** @param {string} problem @param {DraftShape | null} shape that has it */
  #showRefusal(problem, shape) {
    const reason = (shape && this.#draft.problem(shape)) || problem;
    const name = shape && capitalised(this.#draft.nameOf(shape));
    setText(
      byId("setup-problem"),
      name ? text("not-saved-shape", { shape: name, problem: reason }) : text("not-saved", { problem }),
    );
    this.#say("");
    if (shape) {
      this.#refused.set(shape.id, reason);
      this.#sketch.focus(shape.id);
    }
    this.#render();
  }

  /** @param {DraftRule} rule */
  #showRefusedRule(rule) {
    this.#render();
    const values = { shape: capitalised(ruleName(rule)), problem: this.#faultOf(rule)?.problem ?? "" };
    setText(byId("setup-problem"), text("not-saved-shape", values));
    this.#say("");
    this.#rules.focus(rule);
  }

  /** @param {DraftRule} rule @returns {Fault | null} */
  #faultOf(rule) {
    return this.#draft.ruleFault(rule) ?? this.#refusedRules.get(rule.id) ?? null;
  }

  #close() {
    this.#dialog.close();
    this.#onClosed();
  }

  /** Puts the picture back. */
  #onClosed() {
    if (!this.#opened) return;
    const { picture } = this.#opened;
    this.#sketch.cancel();
    this.#opened = null;
    this.#sketch.node.remove();
    this.#placeholder.replaceWith(picture.node);
    this.onEditing(null);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const isText = event.target instanceof HTMLInputElement && ["text", "number"].includes(event.target.type);
    if (event.key === "Escape") this.#escape(event);
    else if (event.key === "z" && (event.ctrlKey || event.metaKey) && !isText) {
      event.preventDefault();
      this.#keepFocus(() => this.#undo());
    }
  }

  /** Stops drawing, or closes the dialog if nothing would be lost. @param {Event} event */
  #escape(event) {
    event.preventDefault();
    if (this.#keepFocus(() => this.#sketch.cancel())) return;
    if (this.#draft.canUndo) this.#say(text("setup-changes"));
    else this.#close();
  }
}

/** Returns what a setup says, to compare it. @param {Setup | null} own */
function contentOf(own) {
  return JSON.stringify([own?.lines ?? null, own?.zones ?? null, own?.mask ?? [], own?.visitors ?? null, own?.alerts ?? null]);
}
