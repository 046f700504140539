/** Colours of labels: readable on both grounds, and told apart. */

import assert from "node:assert/strict";
import { test } from "node:test";

import "./catalogue.mjs";

const page = "../../../dashboard/page";
const { GROUNDS, areSimilar, asHex, contrast, readable } = await import(`${page}/base/colours.js`);
const { Labels } = await import(`${page}/base/labels.js`);

test("contrasts are those of WCAG", () => {
  assert.equal(contrast("#000000", "#ffffff"), 21);
  assert.equal(contrast("#777777", "#ffffff").toFixed(2), "4.48");
});

test("each colour stands out from both grounds, and one that does already stays", () => {
  for (let number = 0; number < 0xffffff; number += 0x10f0d) {
    const colour = `#${number.toString(16).padStart(6, "0")}`;
    for (const ground of Object.values(GROUNDS)) {
      const shown = readable(colour, ground);
      assert.ok(contrast(shown, ground) >= 3, `${colour} is shown as ${shown} on ${ground}`);
      assert.ok(contrast(colour, ground) < 3 || shown === colour);
    }
  }
});

for (const [one, other, similar] of [
  ["#c2255c", "#c2255c", true],
  ["#c2255c", "#b9285f", true],
  ["#c2255c", "#0067a8", false],
  ["#0067a8", "#006b52", false],
  ["#ffffff", "#f4f4f4", true],
]) {
  test(`${one} and ${other} are ${similar ? "hard" : "easy"} to tell apart`, () => assert.equal(areSimilar(one, other), similar));
}

test("a computed style is written as people choose colours", () => assert.equal(asHex("rgb(61, 151, 227)"), "#3d97e3"));

test("labels have names and colours of one's own, also after their order has changed", () => {
  const labels = new Labels();
  labels.setOrder(["man", "woman"]);
  labels.setNames([{ label: "woman", name: "Women", colour: "#c2255c" }, { label: "man", name: null, colour: null }]);
  assert.deepEqual(["man", "woman", "undecided"].map((label) => labels.name(label)), ["man", "Women", "undecided"]);
  assert.deepEqual(["man", "woman"].map((label) => labels.classes(label)), ["label-0 texture-0", "label-own-0 texture-1"]);
  assert.match(labels.sheet, /^:root \{ --label-own-0: light-dark\(#c2255c, #\w{6}\); \} \.label-own-0 \{ --colour: var\(--label-own-0\); \}$/);
  labels.setNames([]);
  assert.deepEqual([labels.name("woman"), labels.classes("woman"), labels.sheet], ["woman", "label-1 texture-1", ""]);
});
