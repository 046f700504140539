/** Draws lines with their arrows, zones and masks over a picture. */

/** @import { Point } from "../setup/geometry.js" */
/** @import { Shape } from "./shapes.js" */

import { element, svg } from "../base/elements.js";
import { text } from "../base/language.js";
import { centre, inward } from "../setup/geometry.js";

const HEIGHT = 1000; // of the drawing; its width has the picture's aspect
const ARROW = 70; // length of an arrow
const ARROW_HEAD = 24;
const CIRCLE = 12;

export class Plan {
  #drawing = svg("svg", { preserveAspectRatio: "none" });
  #names = element("div");
  node = element("div", { class: "plan", "aria-hidden": "true" }, this.#drawing, this.#names);
  #shown = "";

  /**
   * @param {(Shape & {id?: number})[]} shapes
   * @param {number} aspect of the picture
   * @param {Record<string, string>} notes texts beside the names of zones
   * @param {number | null} selected the id of a shape
   */
  show(shapes, aspect, notes = {}, selected = null) {
    const content = JSON.stringify([shapes, aspect, notes, selected]);
    if (content === this.#shown) return;
    this.#shown = content;
    this.#drawing.setAttribute("viewBox", `0 0 ${HEIGHT * aspect} ${HEIGHT}`);
    this.#drawing.replaceChildren(...shapes.flatMap((shape) => drawn(shape, aspect, shape.id === selected && selected !== null)));
    this.#names.replaceChildren(...shapes.flatMap((shape) => names(shape, aspect, notes)));
  }

  /** Draws a line or polygon that is not finished. @param {Point[]} points @param {Point} cursor @param {number} aspect */
  sketch(points, cursor, aspect) {
    this.#shown = "";
    const circles = points.map((point) => {
      const [cx, cy] = scaled(point, aspect);
      return svg("circle", { class: "sketched", cx, cy, r: CIRCLE });
    });
    this.#drawing.append(svg("polyline", { class: "sketched", points: written([...points, cursor], aspect) }), ...circles);
  }
}

/** @param {Shape} shape @param {number} aspect @param {boolean} isSelected @returns {SVGElement[]} */
function drawn({ kind, points }, aspect, isSelected) {
  const look = isSelected ? `${kind} selected` : kind;
  if (kind !== "line") return [svg("polygon", { class: look, points: written(points, aspect) })];
  const [[x1, y1], [x2, y2]] = points.map((point) => scaled(point, aspect));
  return [
    svg("line", { class: `${look} under`, x1, y1, x2, y2 }),
    svg("line", { class: look, x1, y1, x2, y2 }),
    svg("path", { class: "arrow under", d: arrow(points, aspect) }),
    svg("path", { class: "arrow", d: arrow(points, aspect) }),
  ];
}

/** Returns the path of the arrow that shows where "in" is. @param {Point[]} points @param {number} aspect */
function arrow([start, end], aspect) {
  const [x, y] = scaled(centre([start, end]), aspect);
  const [dx, dy] = inward(start, end, aspect);
  const [tipX, tipY] = [x + ARROW * dx, y + ARROW * dy];
  const barb = (/** @type {number} */ side) =>
    `L ${tipX - ARROW_HEAD * (dx + side * dy)} ${tipY - ARROW_HEAD * (dy - side * dx)}`;
  return `M ${x} ${y} L ${tipX} ${tipY} ${barb(1)} M ${tipX} ${tipY} ${barb(-1)}`;
}

/** @param {Shape} shape @param {number} aspect @param {Record<string, string>} notes @returns {HTMLElement[]} */
function names({ kind, name, points }, aspect, notes) {
  if (kind === "mask") return [];
  const note = kind === "zone" && Object.hasOwn(notes, name) ? `: ${notes[name]}` : "";
  const label = element("span", { class: `shape-name ${kind}` }, `${name}${note}`);
  const [x, y] = centre(points);
  if (kind === "zone") return [at(label, [x, y])];
  const [dx, dy] = inward(points[0], points[1], aspect);
  const beside = (/** @type {number} */ away) => /** @type {Point} */ ([x + (away * dx) / aspect, y + away * dy]);
  const tip = (1.5 * ARROW) / HEIGHT;
  return [at(label, beside(-tip / 2)), at(element("span", { class: "shape-name in" }, text("in")), beside(tip))];
}

/** Places an element on the picture. @template {HTMLElement} E @param {E} node @param {Point} point @returns {E} */
export function at(node, [x, y]) {
  Object.assign(node.style, { left: `${(100 * x).toFixed(2)}%`, top: `${(100 * y).toFixed(2)}%` });
  return node;
}

/** @param {Point} point @param {number} aspect @returns {Point} */
function scaled([x, y], aspect) {
  return [HEIGHT * aspect * x, HEIGHT * y];
}

/** @param {Point[]} points @param {number} aspect */
function written(points, aspect) {
  return points.map((point) => scaled(point, aspect).join(",")).join(" ");
}
