/** The day's last visits, newest first. */

/** @import { Visit } from "./messages.js" */
/** @import { LabelColours } from "./colours.js" */
/** @import { SiteTime } from "./times.js" */

import { UNDECIDED } from "./colours.js";
import { byId, element, syncChildren, setAttribute, setShown, setText } from "./elements.js";
import { duration } from "./times.js";
import { percent } from "./words.js";

const MAX_LISTED = 50;

export class Visits {
  /** @param {LabelColours} colours @param {SiteTime} site */
  constructor(colours, site) {
    this.colours = colours;
    this.site = site;
  }

  /**
   * @param {Visit[]} visits
   * @param {string} camera name; empty: all cameras
   * @param {boolean} several whether the site has several cameras
   */
  show(visits, camera, several) {
    const shown = visits.filter((visit) => camera === "" || visit.camera === camera).slice(0, MAX_LISTED);
    byId("visits").classList.toggle("several", several);
    setShown(byId("visits-region"), shown.length > 0);
    setShown(byId("no-visit"), shown.length === 0);
    const rows = syncChildren(
      byId("visits-body"),
      shown.map(({ id }) => id),
      createRow,
    );
    rows.forEach((row, index) => this.#fill(row, shown[index]));
  }

  /** Sets the text that is shown without visits. @param {string} problem why the visits are unknown; empty if known */
  setEmptyText(problem) {
    setText(byId("no-visit-yet"), problem ? `Visits unknown: ${problem}` : "No visits yet today.");
  }

  /** @param {HTMLElement} row @param {Visit} visit */
  #fill(row, { label, camera, started_at: began, ended_at: ended, peak, demo, direction, zones }) {
    const [time, who, length, highest] = row.children;
    const viewerTime = this.site.viewerTime(began);
    setText(time.children[0], this.site.seconds(began));
    setText(time.children[1], viewerTime && ` (${viewerTime})`);
    setAttribute(time, "title", viewerTime || null);
    setAttribute(who.children[0], "class", `swatch ${this.colours.classes(label)}`);
    setText(who.children[1], label);
    setText(length, duration(ended - began));
    setText(highest, label === UNDECIDED ? "–" : percent(peak));
    setText(who.children[2], direction ?? "");
    setText(who.children[3], demo ? `${camera}, demo` : camera);
    setText(
      who.children[4],
      Object.entries(zones ?? {})
        .map(([zone, seconds]) => `${zone} ${duration(seconds)}`)
        .join(", "),
    );
  }
}

function createRow() {
  const time = element("td", {}, element("span", { class: "site" }), element("span", { class: "unseen" }));
  const who = element(
    "td",
    {},
    element("span", { class: "swatch" }),
    element("span", { class: "who" }),
    " ",
    element("small", { class: "direction" }),
    " ",
    element("small", { class: "where" }),
    " ",
    element("small", { class: "stays" }),
  );
  return element("tr", {}, time, who, element("td"), element("td"));
}
