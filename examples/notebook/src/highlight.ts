// Just enough Python to colour it.

const TOKENS = new RegExp(
  [
    /(?<comment>#[^\n]*)/,
    /(?<string>[rbft]{0,2}(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))/,
    /(?<keyword>\b(?:and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|match|nonlocal|not|or|pass|raise|return|try|while|with|yield|None|True|False)\b)/,
    /(?<number>\b\d[\d_.]*(?:e[+-]?\d+)?\b)/,
    /(?<call>\b[A-Za-z_]\w*(?=\())/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "gi",
);

/** Fills an element with coloured source. */
export function highlight(source: string, into: HTMLElement): void {
  const parts: (string | HTMLElement)[] = [];
  let end = 0;
  for (const match of source.matchAll(TOKENS)) {
    parts.push(source.slice(end, match.index));
    const span = document.createElement("span");
    span.className = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined)?.[0] ?? "";
    span.textContent = match[0];
    parts.push(span);
    end = match.index + match[0].length;
  }
  // The last line break shows only when something follows.
  into.replaceChildren(...parts, `${source.slice(end)}\n`);
}
