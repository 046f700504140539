/** The day's last visits, newest first. */

/** @import { Visit } from "../base/messages.js" */
/** @import { Labels } from "../base/labels.js" */
/** @import { SiteTime } from "../base/times.js" */

import { percent, text } from "../base/language.js";
import { UNDECIDED } from "../base/labels.js";
import { byId, element, syncChildren, setAttribute, setShown, setText } from "../base/elements.js";
import { duration } from "../base/times.js";

const MAX_LISTED = 50;

export class Visits {
  /** @param {Labels} labels @param {SiteTime} site */
  constructor(labels, site) {
    this.labels = labels;
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
    setText(byId("no-visit-yet"), problem ? text("visits-unknown", { problem }) : text("no-visits-yet"));
  }

  /** @param {HTMLElement} row @param {Visit} visit */
  #fill(row, { label, camera, started_at: began, ended_at: ended, peak, demo, direction, zones }) {
    const [time, who, length, highest] = row.children;
    const viewerTime = this.site.viewerTime(began);
    setText(time.children[0], this.site.seconds(began));
    setText(time.children[1], viewerTime && ` (${viewerTime})`);
    setAttribute(time, "title", viewerTime || null);
    setAttribute(who.children[0], "class", `swatch ${this.labels.classes(label)}`);
    setText(who.children[1], this.labels.name(label));
    setText(length, duration(ended - began));
    setText(highest, label === UNDECIDED ? "–" : percent(peak));
    setText(who.children[2], direction ? text(direction) : "");
    setText(who.children[3], demo ? text("camera-of-demo", { camera }) : camera);
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
