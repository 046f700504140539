/** The day's last visits, newest first. */

/** @import { Visit } from "./messages.js" */
/** @import { LabelColours } from "./colours.js" */
/** @import { SiteTime } from "./times.js" */

import { byId, element, keyed, setAttribute, setShown, setText } from "./elements.js";
import { duration } from "./times.js";
import { percent } from "./words.js";

const MOST = 50;

export class Visits {
  /** @param {LabelColours} colours @param {SiteTime} site */
  constructor(colours, site) {
    this.colours = colours;
    this.site = site;
  }

  /**
   * @param {Visit[]} visits
   * @param {string} camera whose visits; empty: all cameras'
   * @param {boolean} several whether to show the camera
   */
  show(visits, camera, several) {
    const shown = visits.filter((visit) => camera === "" || visit.camera === camera).slice(0, MOST);
    byId("visits").classList.toggle("several", several);
    setShown(byId("visits-region"), shown.length > 0);
    setShown(byId("no-visit"), shown.length === 0);
    const rows = keyed(
      byId("visits-body"),
      shown.map(({ id }) => id),
      blankRow,
    );
    rows.forEach((row, place) => this.#fill(row, shown[place]));
  }

  /** The text without a visit. @param {string} problem why it is not known, if so */
  showNone(problem) {
    setText(byId("no-visit-yet"), problem ? `Not known: ${problem}` : "No visit yet today.");
  }

  /** @param {HTMLElement} row @param {Visit} visit */
  #fill(row, { label, camera, started_at: began, ended_at: ended, peak, demo }) {
    const [time, who, length, highest] = row.children;
    const yours = this.site.yours(began);
    setText(time.children[0], this.site.seconds(began));
    setText(time.children[1], yours && ` (${yours})`);
    setAttribute(time, "title", yours || null);
    setAttribute(who.children[0], "class", `swatch ${this.colours.classes(label)}`);
    setText(who.children[1], label);
    setText(length, duration(ended - began));
    setText(highest, percent(peak));
    setText(who.children[2], demo ? `${camera}, demo` : camera);
  }
}

function blankRow() {
  const time = element("td", {}, element("span", { class: "site" }), element("span", { class: "unseen" }));
  const who = element(
    "td",
    {},
    element("span", { class: "swatch" }),
    element("span", { class: "who" }),
    " ",
    element("small", { class: "where" }),
  );
  return element("tr", {}, time, who, element("td"), element("td"));
}
