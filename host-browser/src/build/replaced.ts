// What is changed in jco's output is changed in its text. Where that is another one day, the build fails, not the app.

/** Replaces what has to be there so many `times`, and throws when it is not. `by` may name the groups of a pattern. */
export function replaced(js: string, old: string | RegExp, by: string, times = 1): string {
  const found = typeof old === "string" ? js.split(old).length - 1 : (js.match(old)?.length ?? 0);
  if (found !== times) throw new Error(`jco's output has changed: \`${old}\` is there ${found} times, not ${times}`);
  return typeof old === "string" ? js.replaceAll(old, () => by) : js.replace(old, by);
}
