/** The name, colour and texture of each label, the same everywhere on the page. The style sheet defines the colours. */

/** @import { SiteLabel } from "./messages.js" */

import { textured, themeColour } from "./canvas-colours.js";
import { GROUNDS, readable } from "./colours.js";
import { text } from "./language.js";

/** The label of a visitor whose label the model cannot tell. It has a neutral colour, and comes last. */
export const UNDECIDED = "undecided";
const COLOURS = 8;
const TEXTURES = 4;

/** Assigns each label an index, which selects its colour and texture. */
export class Labels {
  /** @type {Map<string, number>} */
  #indexes = new Map();
  /** The names that people gave to labels. @type {Map<string, string>} */
  #names = new Map();
  /** The colours that people gave to labels. @type {Map<string, string>} */
  #colours = new Map();

  /** @param {string[]} labels in the server's order; others, such as those of a former model, follow */
  setOrder(labels) {
    this.#indexes = new Map(labels.filter((label) => label !== UNDECIDED).map((label, index) => [label, index]));
  }

  /** @param {SiteLabel[]} labels those with a name or a colour of their own */
  setNames(labels) {
    this.#names = new Map(labels.flatMap(({ label, name }) => (name ? [[label, name]] : [])));
    this.#colours = new Map(labels.flatMap(({ label, colour }) => (colour ? [[label, colour]] : [])));
  }

  /** Returns the style sheet of the colours that people chose. */
  get sheet() {
    return [...this.#colours.values()]
      .map((colour, index) => {
        const [light, dark] = [GROUNDS.light, GROUNDS.dark].map((ground) => readable(colour, ground));
        const name = `--label-own-${index}`;
        return `:root { ${name}: light-dark(${light}, ${dark}); } .label-own-${index} { --colour: var(${name}); }`;
      })
      .join("\n");
  }

  /** Returns the name to show. @param {string} label */
  name(label) {
    return label === UNDECIDED ? text("undecided") : (this.#names.get(label) ?? label);
  }

  /** @param {string} label */
  index(label) {
    if (label === UNDECIDED) return Infinity;
    const index = this.#indexes.get(label) ?? this.#indexes.size;
    this.#indexes.set(label, index);
    return index;
  }

  /** Sorts labels by index. @param {Iterable<string>} labels */
  sorted(labels) {
    return [...labels].sort((one, other) => (this.index(one) < this.index(other) ? -1 : 1));
  }

  /** Returns the CSS classes of a label. @param {string} label */
  classes(label) {
    if (label === UNDECIDED) return "label-undecided";
    return `label-${this.#colourOf(label)} texture-${textureOf(this.index(label))}`;
  }

  /** Returns the fill style of a label on a canvas. @param {string} label @returns {string | CanvasPattern} */
  fill(label) {
    if (label === UNDECIDED) return themeColour("--undecided");
    const [colour, texture] = [themeColour(`--label-${this.#colourOf(label)}`), textureOf(this.index(label))];
    return texture === 0 ? colour : textured(colour, texture);
  }

  /** Returns the name of the colour that the style sheet gives a label. @param {string} label */
  defaultColour(label) {
    return `--label-${this.index(label) % COLOURS}`;
  }

  /** Returns the last part of the name of a label's colour in the style sheet. @param {string} label */
  #colourOf(label) {
    const own = [...this.#colours.keys()].indexOf(label);
    return own < 0 ? String(this.index(label) % COLOURS) : `own-${own}`;
  }
}

/** Labels that share a colour have different textures. @param {number} index */
function textureOf(index) {
  return (index + Math.floor(index / COLOURS)) % TEXTURES;
}
