/** The panel's style. What a page may change are the custom properties; their defaults follow its colour scheme. */
export const STYLE = `
  :host {
    --accent: var(--mountfs-accent, #3b6ef5);
    --text: var(--mountfs-text, light-dark(#1d2129, #e9ebf0));
    --muted: var(--mountfs-muted, light-dark(#5b6373, #a3abba));
    --line: var(--mountfs-line, light-dark(#e3e6ec, #323845));
    --warn: var(--mountfs-warn, light-dark(#9a5b00, #ffc46b));
    --bad: var(--mountfs-bad, light-dark(#b3261e, #ff9d94));
    display: block; font: 400 14px/1.45 var(--mountfs-font, system-ui, sans-serif); color: var(--text);
  }
  [hidden] { display: none !important; }
  ul { list-style: none; margin: 0; padding: 0; display: grid; gap: .6rem; }
  li {
    display: grid; grid-template-columns: auto 1fr; gap: .15rem .7rem; align-items: center; padding: .8rem .85rem;
    border: 1px solid var(--line); border-radius: var(--mountfs-radius, 12px); background: var(--mountfs-surface, transparent);
  }
  .icon {
    display: grid; place-items: center; width: 36px; height: 36px; border-radius: 10px; color: var(--accent);
    background: color-mix(in srgb, var(--accent) 13%, transparent);
  }
  .closed .icon { color: var(--muted); background: color-mix(in srgb, var(--muted) 14%, transparent); }
  .what { min-width: 0; }
  .name { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 .45rem; }
  b { font-weight: 620; overflow-wrap: anywhere; }
  code { font: .84em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; color: var(--muted); overflow-wrap: anywhere; }
  .facts { display: flex; flex-wrap: wrap; gap: 0 .3rem; font-size: .86em; color: var(--muted); }
  .badge:not(:has(+ .saved:empty))::after { content: ","; }
  .saved.dirty { color: var(--warn); font-weight: 560; }
  progress { grid-column: 1 / -1; width: 100%; height: 5px; margin-top: .5rem; accent-color: var(--accent); }
  .buttons { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: .4rem; margin-top: .6rem; }
  button {
    font: inherit; font-size: .9em; font-weight: 550; color: inherit; padding: .32rem .7rem; cursor: pointer;
    border: 1px solid var(--line); border-radius: 8px; background: transparent;
  }
  button:hover { background: color-mix(in srgb, currentColor 7%, transparent); }
  button:disabled { opacity: .5; cursor: default; }
  button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  [data-verb="sync"], [data-verb="reconnect"], .choose { color: #fff; border-color: transparent; background: var(--accent); }
  [data-verb="sync"]:hover, [data-verb="reconnect"]:hover, .choose:hover { background: var(--accent); filter: brightness(1.08); }
  [data-verb="revoke"] { margin-left: auto; color: var(--bad); border-color: color-mix(in srgb, var(--bad) 35%, transparent); }
  .choose { width: 100%; padding: .6rem; font-size: 1em; }
  .empty { color: var(--muted); margin-bottom: .8rem; }
  .empty p { margin: 0; }
  .status { margin: .6rem 0 0; font-size: .88em; color: var(--muted); white-space: pre-line; overflow-wrap: anywhere; }
  .status:empty { display: none; }
  .status.failed { color: var(--bad); }
`;
