/** Times as people read them: by the server's clock, in the site's zone, with the viewer's own beside it. */

const DAY = 86400;

/** The server's clock, which the page goes by: the browser's own may be wrong. */
export class Clock {
  #now = Date.now() / 1000;
  #setAt = performance.now();

  /** @param {number} now Unix seconds, as the server has just sent them */
  set(now) {
    this.#now = now;
    this.#setAt = performance.now();
  }

  /** @returns {number} Unix seconds */
  get now() {
    return this.#now + (performance.now() - this.#setAt) / 1000;
  }
}

/** The site's time of day. Until its zone is known, the viewer's stands in for it. */
export class SiteTime {
  /** Gives the parts of a local time. @type {Intl.DateTimeFormat | null} */
  #format = null;
  #zone = "";

  /** @param {string} zone IANA name, as "Europe/Berlin"; what the browser does not know is unknown */
  learn(zone) {
    if (zone === this.#zone) return;
    this.#zone = zone;
    this.#format = zone ? formatOf(zone) : null;
  }

  get known() {
    return this.#format !== null;
  }

  /** "Europe/Berlin", or empty. */
  get zone() {
    return this.known ? this.#zone : "";
  }

  /** Hours and minutes, as "14:05". @param {number} time */
  minutes(time) {
    return shown(this.#local(time)).slice(11, 16);
  }

  /** With seconds, as "14:05:09". @param {number} time */
  seconds(time) {
    return shown(this.#local(time)).slice(11, 19);
  }

  /** The site's hour, as counts name it: "00" to "23". @param {number} time */
  hour(time) {
    return this.minutes(time).slice(0, 2);
  }

  /** The viewer's own time, as "13:05 your time"; empty where it is the same. @param {number} time */
  yours(time) {
    const own = ownLocal(time);
    return own === this.#local(time) ? "" : `${shown(own).slice(11, 16)} your time`;
  }

  /** How far the viewer's time is from the site's, as "1 h behind"; empty where it is the same. @param {number} time */
  apart(time) {
    const seconds = ownLocal(time) - this.#local(time);
    return seconds === 0 ? "" : `${duration(Math.abs(seconds))} ${seconds < 0 ? "behind" : "ahead"}`;
  }

  /** @param {number} time */
  both(time) {
    return [this.minutes(time), this.yours(time)].filter(Boolean).join(" · ");
  }

  /** "14:02", or with the day where that is not today's: "Sun 22 Nov 14:02". @param {number} time @param {number} now */
  since(time, now) {
    const [local, today] = [this.#local(time), this.#local(now)];
    const sameDay = Math.floor(local / DAY) === Math.floor(today / DAY);
    return sameDay ? this.minutes(time) : `${shortDay(shown(local).slice(0, 10))} ${this.minutes(time)}`;
  }

  /** Seconds whose UTC reading is the local time. @param {number} time */
  #local(time) {
    if (!this.#format) return ownLocal(time);
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

/** The viewer's local time. @param {number} time */
function ownLocal(time) {
  return Math.floor(time) - 60 * new Date(time * 1000).getTimezoneOffset();
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
