/** The colours of the style sheet, and textures as in it, to draw with on a canvas. */

/** @type {HTMLElement | undefined} */
let probe;

/** Returns a colour of the style sheet in the current scheme, which only an element reveals. @param {string} name */
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

/** Returns a colour with a texture. @param {string} colour @param {number} texture 1 to 3 @returns {string | CanvasPattern} */
export function textured(colour, texture) {
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
 * Draws three strokes, so that the stripe continues across the corners of adjacent tiles.
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
