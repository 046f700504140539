/** A colour and a texture for each label, the same everywhere on the page; the style sheet says which colours those are. */

const COLOURS = 8;
const TEXTURES = 4;

/** Gives each label its place among the labels, by which it is coloured. */
export class LabelColours {
  /** @type {Map<string, number>} */
  #places = new Map();

  /** @param {string[]} labels in the server's order; others, as those of a former model, come after them */
  learn(labels) {
    this.#places = new Map(labels.map((label, place) => [label, place]));
  }

  /** @param {string} label */
  place(label) {
    const place = this.#places.get(label) ?? this.#places.size;
    this.#places.set(label, place);
    return place;
  }

  /** The labels in the order of their colours. @param {Iterable<string>} labels */
  sorted(labels) {
    return [...labels].sort((one, other) => this.place(one) - this.place(other));
  }

  /** Classes by which the style sheet colours something for a label. @param {string} label */
  classes(label) {
    const place = this.place(label);
    return `label-${place % COLOURS} texture-${textureOf(place)}`;
  }

  /** What a canvas is filled with for a label. @param {string} label @returns {string | CanvasPattern} */
  fill(label) {
    const place = this.place(label);
    const colour = themeColour(`--label-${place % COLOURS}`);
    return textureOf(place) === 0 ? colour : textured(colour, textureOf(place));
  }
}

/** With more labels than colours, the second label of a colour has another texture. @param {number} place */
function textureOf(place) {
  return (place + Math.floor(place / COLOURS)) % TEXTURES;
}

/** @type {HTMLElement | undefined} */
let probe;

/** A colour of the style sheet, as light or dark as the page is now; only an element that has it knows. @param {string} name */
export function themeColour(name) {
  if (!probe) {
    probe = document.createElement("i");
    probe.hidden = true;
    probe.style.forcedColorAdjust = "none";
    document.body.append(probe);
  }
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

/** @param {string} colour @param {number} texture @returns {string | CanvasPattern} */
function textured(colour, texture) {
  const side = 8 * Math.max(1, Math.round(devicePixelRatio));
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const context = canvas.getContext("2d");
  if (!context) return colour;
  context.fillStyle = colour;
  context.fillRect(0, 0, side, side);
  context.strokeStyle = context.fillStyle = themeColour("--texture");
  context.lineWidth = side / 6;
  if (texture === 2) dot(context, side);
  else stripe(context, side, texture === 1);
  return context.createPattern(canvas, "repeat") ?? colour;
}

/** @param {CanvasRenderingContext2D} context @param {number} side */
function dot(context, side) {
  context.beginPath();
  context.arc(side / 2, side / 2, side / 5, 0, 2 * Math.PI);
  context.fill();
}

/**
 * Three strokes, so that the stripe goes on across the corners of its neighbours.
 * @param {CanvasRenderingContext2D} context
 * @param {number} side
 * @param {boolean} rising
 */
function stripe(context, side, rising) {
  context.beginPath();
  for (const shift of [-side, 0, side]) {
    context.moveTo(shift - 1, rising ? side + 1 : -1);
    context.lineTo(shift + side + 1, rising ? -1 : side + 1);
  }
  context.stroke();
}
