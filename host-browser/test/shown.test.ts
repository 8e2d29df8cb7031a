import { expect, it } from "vitest";
import { shown } from "../src/shown.js";

it.each([
  ["a bidi override", "/photos/\u202egnp.exe", "/photos/\\u{202e}gnp.exe"],
  ["isolates and marks", "a\u2066b\u2069c\u200ed", "a\\u{2066}b\\u{2069}c\\u{200e}d"],
  ["controls and line breaks", "/a\n\r\t\u0007\u2028b", "/a\\u{a}\\u{d}\\u{9}\\u{7}\\u{2028}b"],
  ["an escape of a terminal", "/\u001b[2J", "/\\u{1b}[2J"],
  ["what is not seen", "/lo\u200bcal\ufeff\u00ad\u3164", "/lo\\u{200b}cal\\u{feff}\\u{ad}\\u{3164}"],
  ["joiners that join nothing", "/a\u200d/\u200cb", "/a\\u{200d}/\\u{200c}b"],
  ["tags, which no font has", "/a\u{e0041}", "/a\\u{e0041}"],
  ["half a character", "/\ud800a", "/\\u{d800}a"],
])("shows %s by its number", (_, text, expected) => {
  expect(shown(text)).toBe(expected);
});

it.each(["/größe und maß.txt", "/日本語", "/🎈 👩‍🚀 ❤️‍🔥", "/नमस्ते क्‍ष", "<b>/local</b> & 'x'"])("leaves %s as it is", (text) => {
  expect(shown(text)).toBe(text);
});

it("keeps what is written from right to left to itself", () => {
  expect(shown("/שלום")).toBe("\u2066/שלום\u2069");
});

it("leaves the middle out of what is too long, and shows both ends", () => {
  const text = shown(`/begin${"🎈".repeat(4000)}end.txt`);
  expect(text).toMatch(/^\/begin🎈+…🎈+end\.txt$/u);
  expect([...text]).toHaveLength(161);
});
