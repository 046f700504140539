/** Times as people read them: by the server's clock, in the site's zone, with the viewer's own beside it. */

/** @import { Offset } from "./messages.js" */

const DAY = 86400;

/** The server's clock, which the page goes by: the browser's own may be wrong. */
export class Clock {
  #told = Date.now() / 1000;
  #toldAt = performance.now();

  /** @param {number} now Unix seconds that the server told just now */
  set(now) {
    this.#told = now;
    this.#toldAt = performance.now();
  }

  /** @returns {number} Unix seconds */
  get now() {
    return this.#told + (performance.now() - this.#toldAt) / 1000;
  }
}

/** The site's time of day. Until its offsets are known, the viewer's stands in for it. */
export class SiteTime {
  /** @type {Offset[]} */
  #offsets = [];

  /** @param {Offset[]} offsets in the order of their `since`; none: unknown */
  learn(offsets) {
    this.#offsets = offsets;
  }

  get known() {
    return this.#offsets.length > 0;
  }

  /** @param {number} time */
  name(time) {
    return this.#at(time)?.name ?? "";
  }

  /** Hours and minutes, as "14:05". @param {number} time */
  minutes(time) {
    return shown(time + this.#seconds(time)).slice(11, 16);
  }

  /** With seconds, as "14:05:09". @param {number} time */
  seconds(time) {
    return shown(time + this.#seconds(time)).slice(11, 19);
  }

  /** The site's hour, as counts name it: "00" to "23". @param {number} time */
  hour(time) {
    return this.minutes(time).slice(0, 2);
  }

  /** The viewer's own time, as "13:05 your time"; empty where it is the same. @param {number} time */
  yours(time) {
    const own = ownSeconds(time);
    return own === this.#seconds(time) ? "" : `${shown(time + own).slice(11, 16)} your time`;
  }

  /** How far the viewer's time is from the site's, as "1 h behind"; empty where it is the same. @param {number} time */
  apart(time) {
    const seconds = ownSeconds(time) - this.#seconds(time);
    return seconds === 0 ? "" : `${duration(Math.abs(seconds))} ${seconds < 0 ? "behind" : "ahead"}`;
  }

  /** @param {number} time */
  both(time) {
    return [this.minutes(time), this.yours(time)].filter(Boolean).join(" · ");
  }

  /** "14:02", or with the day where that is not today's: "Sun 22 Nov 14:02". @param {number} time @param {number} now */
  since(time, now) {
    const [local, today] = [time + this.#seconds(time), now + this.#seconds(now)];
    const sameDay = Math.floor(local / DAY) === Math.floor(today / DAY);
    return sameDay ? this.minutes(time) : `${shortDay(shown(local).slice(0, 10))} ${this.minutes(time)}`;
  }

  /** @param {number} time */
  #seconds(time) {
    return this.#at(time)?.seconds ?? ownSeconds(time);
  }

  /** @param {number} time */
  #at(time) {
    return this.#offsets.findLast((offset) => offset.since <= time) ?? this.#offsets[0];
  }
}

/** @param {number} time */
function ownSeconds(time) {
  return -60 * new Date(time * 1000).getTimezoneOffset();
}

/** @param {number} local seconds whose UTC reading is the time to show */
function shown(local) {
  return new Date(local * 1000).toISOString();
}

/** @param {string} day as 2026-11-23 @param {number} days @returns {string} the day so many days later */
export function dayAfter(day, days) {
  return shown(Date.parse(day) / 1000 + days * DAY).slice(0, 10);
}

/** @param {string} day as 2026-11-23 @returns {string} "Monday 23 November" */
export function longDay(day) {
  return dayText(day, { weekday: "long", day: "numeric", month: "long" });
}

/** @param {string} day @returns {string} "Mon 23 Nov" */
export function shortDay(day) {
  return dayText(day, { weekday: "short", day: "numeric", month: "short" });
}

/** @param {string} day @param {Intl.DateTimeFormatOptions} parts */
function dayText(day, parts) {
  return new Intl.DateTimeFormat("en-GB", { ...parts, timeZone: "UTC" }).format(new Date(day)).replace(",", "");
}

/** How old a picture is, as "0.03 s". @param {number} seconds */
export function age(seconds) {
  return seconds < 0.995 ? `${Math.max(0, seconds).toFixed(2)}\u00a0s` : duration(seconds);
}

/** How long something took or is ago, as "3.1 s", "2 min 5 s", "3 h 20 min", "2 days". @param {number} seconds */
export function duration(seconds) {
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)}\u00a0s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}\u00a0s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}\u00a0min${whole % 60 ? `\u00a0${whole % 60}\u00a0s` : ""}`;
  const minutes = Math.round(whole / 60);
  if (whole < 2 * DAY) return `${Math.floor(minutes / 60)}\u00a0h${minutes % 60 ? `\u00a0${minutes % 60}\u00a0min` : ""}`;
  return `${Math.floor(whole / DAY)}\u00a0days`;
}
