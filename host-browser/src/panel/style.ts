/** The panel's style. What a page may change are the custom properties; their defaults follow its colour scheme. */
export const STYLE = `
  :host {
    --accent: var(--mountfs-accent, #2f5fe0);
    /* The accent as a line or a sign, which on a dark surface has to be lighter than under white text. */
    --tint: light-dark(var(--accent), color-mix(in srgb, var(--accent) 55%, #fff));
    --text: var(--mountfs-text, light-dark(#1d2129, #e9ebf0));
    --muted: var(--mountfs-muted, light-dark(#5b6373, #a3abba));
    --line: var(--mountfs-line, light-dark(#dfe3ea, #353c4a));
    --warn: var(--mountfs-warn, light-dark(#8f5500, #ffc46b));
    --bad: var(--mountfs-bad, light-dark(#b3261e, #ff9d94));
    /* The page's own letters, if it does not say others. */
    display: block; font-family: var(--mountfs-font, inherit); font-size: .9em; line-height: 1.45; color: var(--text);
  }
  [hidden] { display: none !important; }
  ul { list-style: none; margin: 0; padding: 0; display: grid; gap: .6rem; }
  li {
    position: relative; overflow: clip;
    display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .15rem .7rem; align-items: center; padding: .8rem .85rem;
    border: 1px solid var(--line); border-radius: var(--mountfs-radius, 12px); background: var(--mountfs-surface, transparent);
  }
  .icon {
    display: grid; place-items: center; align-self: start; width: 36px; height: 36px; border-radius: 10px; color: var(--tint);
    background: color-mix(in srgb, var(--tint) 13%, transparent);
  }
  .closed .icon { color: var(--muted); background: color-mix(in srgb, var(--muted) 14%, transparent); }
  .name { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 .45rem; }
  b { font-weight: 620; overflow-wrap: anywhere; }
  code { font: .84em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; color: var(--muted); overflow-wrap: anywhere; }
  .facts { font-size: .88em; color: var(--muted); text-wrap: balance; }
  .badge:not(:has(+ .saved:empty))::after { content: ", "; }
  .saved { display: inline-block; }
  .dirty .saved { color: var(--warn); font-weight: 560; }
  .left {
    grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: .5rem .4rem; margin-top: .6rem; padding: .6rem .7rem;
    border-radius: 9px; background: color-mix(in srgb, var(--warn) 10%, transparent);
  }
  .left p { flex-basis: 100%; margin: 0; font-size: .93em; text-wrap: pretty; }
  /* On the edge, where it moves nothing: a click between pressing and letting go must not miss its button. */
  progress {
    position: absolute; inset: auto 0 0; width: 100%; height: 4px; border: 0; appearance: none; background: var(--line);
  }
  progress::-webkit-progress-bar { background: var(--line); }
  progress::-webkit-progress-value { background: var(--tint); }
  progress::-moz-progress-bar { background: var(--tint); }
  .buttons { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: .4rem; margin-top: .6rem; }
  button {
    font: inherit; font-size: .9em; font-weight: 550; color: inherit; min-height: 30px; padding: .25rem .7rem; cursor: pointer;
    border: 1px solid color-mix(in srgb, currentColor 26%, transparent); border-radius: 8px; background: transparent;
  }
  button:hover { background: color-mix(in srgb, currentColor 7%, transparent); }
  button[aria-disabled="true"] { opacity: .6; cursor: default; }
  button:focus-visible { outline: 2px solid var(--tint); outline-offset: 2px; }
  /* What there is to do. Sync is quiet when all is saved. */
  .choose, [data-verb="open"], [data-verb="recover"], .dirty [data-verb="sync"] {
    color: #fff; border-color: transparent; background: var(--accent);
    &:hover { background: color-mix(in srgb, var(--accent) 88%, #000); }
  }
  [data-verb="revoke"], [data-verb="discard"] { margin-left: auto; color: var(--bad); }
  .choose { min-height: 38px; padding-inline: 1.1rem; font-size: 1em; }
  ul:not(:empty) ~ .choose { margin-top: .6rem; }
  .empty { color: var(--muted); margin-bottom: .8rem; }
  .empty p { margin: 0; }
  .status { margin: .6rem 0 0; font-size: .88em; color: var(--muted); white-space: pre-line; overflow-wrap: anywhere; }
  .status:empty { display: none; }
  .status.failed { color: var(--bad); }
  @media (pointer: coarse) { button { min-height: 44px; padding-inline: 1rem; } }
`;
