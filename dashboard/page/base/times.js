/** Times by the server's clock, in the site's time zone, with the viewer's local time if it differs. */

import { date, number, text } from "./language.js";

const DAY = 86400;
/** @type {Intl.DateTimeFormatOptions} */
const MINUTES = { hour: "2-digit", minute: "2-digit" };

/** The server's clock. The page does not use the browser's, which may be wrong. */
export class Clock {
  #now = Date.now() / 1000;
  #setAt = performance.now();

  /** @param {number} now Unix seconds from the server */
  set(now) {
    this.#now = now;
    this.#setAt = performance.now();
  }

  /** @returns {number} Unix seconds */
  get now() {
    return this.#now + (performance.now() - this.#setAt) / 1000;
  }
}

/** The site's local time; the viewer's until the site's zone is known. */
export class SiteTime {
  /** Splits a time into the parts of a local time. @type {Intl.DateTimeFormat | null} */
  #format = null;
  #zone = "";

  /** @param {string} zone IANA name, such as "Europe/Berlin"; ignored if the browser does not know it */
  setZone(zone) {
    if (zone === this.#zone) return;
    this.#zone = zone;
    this.#format = zone ? formatOf(zone) : null;
  }

  get known() {
    return this.#format !== null;
  }

  /** The IANA name; empty if unknown. */
  get zone() {
    return this.known ? this.#zone : "";
  }

  /** Returns hours and minutes, such as "14:05" or "02:05 PM". @param {number} time */
  minutes(time) {
    return date(this.#local(time), MINUTES);
  }

  /** Returns the time with seconds, such as "14:05:09". @param {number} time */
  seconds(time) {
    return date(this.#local(time), { ...MINUTES, second: "2-digit" });
  }

  /** Returns the hour, "00" to "23". @param {number} time */
  hour(time) {
    return shown(this.#local(time)).slice(11, 13);
  }

  /** Returns the local time, such as "2026-11-23T14:05". @param {number} time */
  local(time) {
    return shown(this.#local(time)).slice(0, 16);
  }

  /** Returns the viewer's time, such as "13:05 your time"; empty if it is the same. @param {number} time */
  viewerTime(time) {
    const local = viewerLocal(time);
    return local === this.#local(time) ? "" : text("your-time", { time: date(local, MINUTES) });
  }

  /** Returns the offset of the viewer's time, such as "1 h behind"; empty if it is the same. @param {number} time */
  offset(time) {
    const seconds = viewerLocal(time) - this.#local(time);
    return seconds === 0 ? "" : text(seconds < 0 ? "behind" : "ahead", { duration: duration(Math.abs(seconds)) });
  }

  /** @param {number} time */
  withViewerTime(time) {
    return [this.minutes(time), this.viewerTime(time)].filter(Boolean).join(" · ");
  }

  /** Returns "14:02", or "Sun 22 Nov 14:02" if the day is not today. @param {number} time @param {number} now */
  since(time, now) {
    const [local, today] = [this.#local(time), this.#local(now)];
    const sameDay = Math.floor(local / DAY) === Math.floor(today / DAY);
    return sameDay ? this.minutes(time) : `${shortDay(shown(local).slice(0, 10))} ${this.minutes(time)}`;
  }

  /** Returns the seconds whose UTC form reads as the local time. @param {number} time */
  #local(time) {
    if (!this.#format) return viewerLocal(time);
    const parts = this.#format.formatToParts(1000 * time).map(({ type, value }) => [type, Number(value)]);
    const { year, month, day, hour, minute, second } = Object.fromEntries(parts);
    return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
  }
}

/** @param {string} zone @returns {Intl.DateTimeFormat | null} */
function formatOf(zone) {
  const digits = "2-digit";
  const parts = { year: "numeric", month: digits, day: digits, hour: digits, minute: digits, second: digits };
  try {
    return new Intl.DateTimeFormat("en-GB", /** @type {any} */ ({ ...parts, hourCycle: "h23", timeZone: zone }));
  } catch {
    return null;
  }
}

/** Returns the viewer's local time in the same form. @param {number} time */
function viewerLocal(time) {
  return Math.floor(time) - 60 * new Date(time * 1000).getTimezoneOffset();
}

/** @param {number} local seconds whose UTC form reads as the local time */
function shown(local) {
  return new Date(local * 1000).toISOString();
}

/** @param {string} day such as 2026-11-23 @param {number} days @returns {string} the day that many days later */
export function dayAfter(day, days) {
  return shown(Date.parse(day) / 1000 + days * DAY).slice(0, 10);
}

/** @param {string} day such as 2026-11-23 @returns {string} "Monday 23 November" */
export function longDay(day) {
  return date(Date.parse(day) / 1000, { weekday: "long", day: "numeric", month: "long" });
}

/** @param {string} day @returns {string} "Mon 23 Nov" */
export function shortDay(day) {
  return date(Date.parse(day) / 1000, { weekday: "short", day: "numeric", month: "short" });
}

/** Formats the age of a picture, such as "0.03 s". @param {number} seconds */
export function age(seconds) {
  return seconds < 0.995 ? inSeconds(Math.max(0, seconds), 2) : duration(seconds);
}

/** Formats a duration: "3.1 s", "2 min 5 s", "3 h 20 min", "2 days". @param {number} seconds */
export function duration(seconds) {
  if (seconds < 9.95) return inSeconds(Math.max(0, seconds), 1);
  const whole = Math.round(seconds);
  if (whole < 60) return inSeconds(whole, 0);
  if (whole < 3600) return composed("minutes", Math.floor(whole / 60), "seconds", whole % 60);
  const minutes = Math.round(whole / 60);
  if (whole < 2 * DAY) return composed("hours", Math.floor(minutes / 60), "minutes", minutes % 60);
  return text("days", { days: Math.floor(whole / DAY) });
}

/** @param {number} seconds @param {number} digits */
function inSeconds(seconds, digits) {
  return text("seconds", { seconds: number(seconds, { minimumFractionDigits: digits, maximumFractionDigits: digits }) });
}

/** Omits the smaller unit if there are none of it. @param {string} large @param {number} many @param {string} small @param {number} few */
function composed(large, many, small, few) {
  return few ? text(`${large}-${small}`, { [large]: many, [small]: few }) : text(large, { [large]: many });
}
