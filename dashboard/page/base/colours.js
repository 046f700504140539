/** Colours that people chose for labels: readable in both schemes, and different enough. A colour is a text such as "#c2255c". */

/** @typedef {[number, number, number]} Triple */

/** The grounds of cards, as in base.css. */
export const GROUNDS = { light: "#ffffff", dark: "#161b22" };
const MIN_CONTRAST = 3; // to the ground: WCAG 2.2, 1.4.11 Non-text Contrast
const MIN_DIFFERENCE = 0.1; // of two labels, in OKLab; 0.02 is just noticeable
const STEP = 0.05;

/** Returns the colour, mixed with as much of the ink as makes it stand out from the ground. @param {string} colour @param {string} ground */
export function readable(colour, ground) {
  const ink = luminance(ground) > 0.5 ? "#000000" : "#ffffff";
  let [found, share] = [colour, 0];
  while (contrast(found, ground) < MIN_CONTRAST) {
    share += STEP;
    found = mixed(colour, ink, share);
  }
  return found;
}

/** Whether two colours are hard to tell from each other. @param {string} one @param {string} other */
export function areSimilar(one, other) {
  const [first, second] = [oklab(one), oklab(other)];
  return Math.hypot(...first.map((part, index) => part - second[index])) < MIN_DIFFERENCE;
}

/** Returns the contrast of two colours, 1 to 21: WCAG 2.2, "contrast ratio". @param {string} one @param {string} other */
export function contrast(one, other) {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((first, second) => first - second);
  return (lighter + 0.05) / (darker + 0.05);
}

/** Returns a computed style such as "rgb(61, 151, 227)" as "#3d97e3". @param {string} style */
export function asHex(style) {
  const parts = style.match(/[\d.]+/g)?.slice(0, 3).map(Number) ?? [0, 0, 0];
  return hex(/** @type {Triple} */ (parts));
}

/** @param {string} colour */
function luminance(colour) {
  const [red, green, blue] = linear(colour);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Returns lightness, green to red, and blue to yellow: https://bottosson.github.io/posts/oklab/ @param {string} colour @returns {Triple} */
function oklab(colour) {
  const [red, green, blue] = linear(colour);
  const long = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const medium = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const short = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short,
    1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short,
    0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short,
  ];
}

/** Returns red, green and blue as shares of light, 0..1. @param {string} colour @returns {Triple} */
function linear(colour) {
  const parts = bytes(colour).map((byte) => byte / 255);
  return /** @type {Triple} */ (parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)));
}

/** @param {string} colour @param {string} other @param {number} share of the other, 0..1 */
function mixed(colour, other, share) {
  const [first, second] = [bytes(colour), bytes(other)];
  return hex(/** @type {Triple} */ (first.map((byte, index) => byte + (second[index] - byte) * share)));
}

/** @param {string} colour */
function bytes(colour) {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}

/** @param {Triple} parts 0 to 255 */
function hex(parts) {
  return `#${parts.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}
