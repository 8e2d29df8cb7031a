// The elements of the panel and the dialog, made without markup and without styles in it: there are pages whose policy
// forbids both.

/** An element with its attributes, and what is in it. Text is text. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string>,
  ...content: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = withAttributes(document.createElement(tag), attributes);
  made.append(...content);
  return made;
}

/** The picture of a folder. */
export function folderIcon(size: string, stroke: string): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  withAttributes(svg, { viewBox: "0 0 24 24", width: size, height: size, fill: "none" });
  withAttributes(svg, { stroke: "currentColor", "stroke-width": stroke, "stroke-linejoin": "round" });
  svg.append(withAttributes(document.createElementNS(SVG, "path"), { d: FOLDER }));
  return svg;
}

/** Gives what is in a shadow tree its style, by the page that the tree is in now. */
export function style(root: ShadowRoot, rules: string): void {
  const sheet = new (root.ownerDocument.defaultView ?? globalThis).CSSStyleSheet();
  sheet.replaceSync(rules);
  root.adoptedStyleSheets = [sheet];
}

const SVG = "http://www.w3.org/2000/svg";

const FOLDER =
  "M3 7.5V18a2 2 0 0 0 2 2h14a2 2 0 0 0 2-2V9a2 2 0 0 0-2-2h-7L9.6 4.6A2 2 0 0 0 8.2 4H5a2 2 0 0 0-2 2z";

function withAttributes<E extends Element>(element: E, attributes: Record<string, string>): E {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
