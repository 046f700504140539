/** The 8x8 LED matrices. The card is hidden without a running display, because not every site has one. */

/** @import { Labels } from "../base/labels.js" */
/** @import { Pixels, State } from "../base/messages.js" */

import { text } from "../base/language.js";
import { byId, element, syncChildren, setAttribute, setShown, setText } from "../base/elements.js";

const LEDS = 64;
const DIGITS = 6;
const DARK = "000000";

/** @param {State} state @param {boolean} disconnected whether the state is unknown @param {Labels} labels */
export function showMatrices({ modules, pixels: displays }, disconnected, labels) {
  const isRunning = Object.entries(modules).some(([name, { state }]) => name.startsWith("display") && state !== "offline");
  const names = isRunning ? Object.keys(displays).sort() : []; // the broker keeps the pixels of a display that is gone
  const nodes = syncChildren(byId("matrices"), names, matrix);
  nodes.forEach((node, index) => {
    if (disconnected) showUnknown(node, names[index]);
    else show(node, names[index], displays[names[index]], names.length > 1, labels);
  });
  setShown(byId("display"), names.length > 0);
}

/** @param {string} name */
function matrix(name) {
  const leds = Array.from({ length: LEDS }, () => element("i", { class: "led", "data-rgb": "" }));
  const board = element("div", { class: "matrix", role: "img", "data-display": name }, ...leds);
  return element("figure", {}, board, element("figcaption", {}, element("strong"), element("span")));
}

/** @param {HTMLElement} node @param {string} name @param {Pixels} pixels @param {boolean} named @param {Labels} labels */
function show(node, name, { label, rgb }, named, labels) {
  const [board, caption] = node.children;
  setAttribute(board, "aria-label", label ? text("display-shows", { name, label: labels.name(label) }) : text("display-dark", { name }));
  board.classList.remove("unknown");
  lightAll(board, rgb);
  setText(caption.children[0], label ? labels.name(label) : text("dark"));
  setText(caption.children[1], named ? name : text(label ? "shown-now" : "no-label-shown"));
}

/** @param {HTMLElement} node @param {string} name */
function showUnknown(node, name) {
  const [board, caption] = node.children;
  setAttribute(board, "aria-label", text("display-unknown", { name }));
  board.classList.add("unknown");
  lightAll(board, DARK.repeat(LEDS));
  setText(caption.children[0], text("unknown"));
  setText(caption.children[1], name);
}

/** @param {Element} board @param {string} rgb */
function lightAll(board, rgb) {
  [...board.children].forEach((led, index) =>
    light(/** @type {HTMLElement} */ (led), rgb.slice(index * DIGITS, (index + 1) * DIGITS)),
  );
}

/** @param {HTMLElement} led @param {string} rgb */
function light(led, rgb) {
  if (led.dataset.rgb === rgb) return;
  led.dataset.rgb = rgb;
  led.classList.toggle("lit", rgb !== DARK);
  led.style.setProperty("--light", rgb === DARK ? null : `#${rgb}`);
}
