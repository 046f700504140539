/**
 * The languages of the page. Each has a catalogue of texts beside this file. The regions are those offered for dates and numbers;
 * the first one is that of a browser which names none.
 */

/** @type {Record<string, {name: string, regions: string[]}>} */
export const LANGUAGES = {
  en: { name: "English", regions: ["GB", "AU", "CA", "IE", "NZ", "US", "ZA"] },
  de: { name: "Deutsch", regions: ["DE", "AT", "CH", "LI", "LU"] },
};

/** Has every text. Other catalogues may lack some. */
export const FIRST = "en";
