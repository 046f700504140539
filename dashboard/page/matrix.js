/** What the 8x8 matrices show, as LEDs. Not every site has a display: the card is hidden until one has published pixels. */

/** @import { Pixels } from "./messages.js" */

import { byId, element, keyed, setAttribute, setShown, setText } from "./elements.js";

const LEDS = 64;
const DIGITS = 6;
const DARK = "000000";

/** @param {Record<string, Pixels>} displays @param {boolean} away whether nothing can be known of them */
export function showMatrices(displays, away) {
  const names = Object.keys(displays).sort();
  const nodes = keyed(byId("matrices"), names, matrix);
  nodes.forEach((node, place) => {
    if (away) showUnknown(node, names[place]);
    else show(node, names[place], displays[names[place]], names.length > 1);
  });
  setShown(byId("display"), names.length > 0);
}

/** @param {string} name */
function matrix(name) {
  const leds = Array.from({ length: LEDS }, () => element("i", { class: "led", "data-rgb": "" }));
  const board = element("div", { class: "matrix", role: "img", "data-display": name }, ...leds);
  return element("figure", {}, board, element("figcaption", {}, element("strong"), element("span")));
}

/** @param {HTMLElement} node @param {string} name @param {Pixels} pixels @param {boolean} named */
function show(node, name, { label, rgb }, named) {
  const [board, caption] = node.children;
  setAttribute(board, "aria-label", `Display ${name} shows ${label || "nothing: it is dark"}`);
  board.classList.remove("unknown");
  lightAll(board, rgb);
  setText(caption.children[0], label || "dark");
  setText(caption.children[1], named ? name : label ? "is shown" : "nobody is shown");
}

/** @param {HTMLElement} node @param {string} name */
function showUnknown(node, name) {
  const [board, caption] = node.children;
  setAttribute(board, "aria-label", `What the display ${name} shows is not known`);
  board.classList.add("unknown");
  lightAll(board, DARK.repeat(LEDS));
  setText(caption.children[0], "not known");
  setText(caption.children[1], name);
}

/** @param {Element} board @param {string} rgb */
function lightAll(board, rgb) {
  [...board.children].forEach((led, place) =>
    light(/** @type {HTMLElement} */ (led), rgb.slice(place * DIGITS, (place + 1) * DIGITS)),
  );
}

/** @param {HTMLElement} led @param {string} rgb */
function light(led, rgb) {
  if (led.dataset.rgb === rgb) return;
  led.dataset.rgb = rgb;
  led.classList.toggle("lit", rgb !== DARK);
  led.style.setProperty("--light", rgb === DARK ? null : `#${rgb}`);
}
