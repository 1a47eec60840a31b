/** Colours, type, the frame around every page, buttons and fields. */
export const ground = /* css */ `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f7f9, #13151a);
  --paper: light-dark(#ffffff, #1b1e25);
  --ink: light-dark(#1d2129, #e7e9ee);
  --faint: light-dark(#566071, #a3abba);
  --line: light-dark(#dfe2e8, #333844);
  --accent: light-dark(#3d4fc4, #9aa8ff);
  --hint: light-dark(#eef0fd, #262b40);
  --bad: light-dark(#b3261e, #ff8f85);
  --wasted: light-dark(#b83c0a, #fb923c);
  --used: light-dark(#2b6896, #6db3e8);
  --good: light-dark(#1b6e3c, #6fd398);
  font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); }
main { max-width: 78rem; margin: 0 auto; padding: 0.75rem 1.25rem 5rem; }
h1 { font-size: 1.45rem; line-height: 1.3; margin: 0.75rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 1.75rem 0 0.6rem; }
a { color: var(--accent); }
small, .faint { color: var(--faint); }
code, pre { font: 0.875em/1.5 ui-monospace, 'SF Mono', Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; max-height: 28rem; overflow: auto; white-space: pre-wrap; margin: 0.5rem 0; }
.text:empty::before { content: 'Nothing yet.'; color: var(--faint); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--paper); padding: 0.5rem; z-index: 3; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
[hidden] { display: none !important; }

.top { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25rem 1.25rem; padding: 0.5rem 1.25rem; background: var(--paper); border-bottom: 1px solid var(--line); }
.brand { display: flex; align-items: center; gap: 0.5rem; font-weight: 650; color: var(--ink); text-decoration: none; }
.top nav { display: flex; flex-wrap: wrap; gap: 0.15rem; }
.top nav a { padding: 0.3rem 0.65rem; border-radius: 6px; text-decoration: none; color: var(--faint); }
.top nav a:hover, .top nav a[aria-current] { color: var(--ink); background: var(--ground); }
.who { margin-left: auto; display: flex; align-items: center; gap: 0.5rem; }

button, .button, input, select, textarea { font: inherit; color: inherit; padding: 0.35rem 0.75rem; border: 1px solid var(--line); border-radius: 6px; background: var(--paper); }
input, select { min-width: 0; }
button, .button { cursor: pointer; display: inline-block; text-decoration: none; white-space: nowrap; }
button:hover, .button:hover { border-color: var(--accent); }
.danger { background: var(--bad); border-color: var(--bad); color: light-dark(#fff, #2a0a07); font-weight: 600; }
.quiet { border-color: transparent; background: none; color: var(--faint); padding-inline: 0.4rem; }
.copy { border: 0; background: none; color: var(--faint); padding: 0 0.3rem; line-height: 1; font-size: 0.85rem; }
.copy svg { vertical-align: -0.1rem; }
.copy.copied { color: var(--good); }
.copy.refused { color: var(--bad); }
input[type='checkbox'] { width: 1.1rem; height: 1.1rem; margin: 0; vertical-align: middle; }
.row { display: flex; flex-wrap: wrap; gap: 0.5rem 0.75rem; align-items: center; }
.row input:not([type='checkbox']) { flex: 1 1 14rem; }
.row.apart { justify-content: space-between; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 0.9rem 1.15rem; }
.cancel { margin: 1rem 0; display: grid; gap: 0.5rem; }
.sign-in { max-width: 26rem; margin: 3rem auto; display: grid; gap: 0.75rem; }
.sign-in h1 { margin: 0; }
.notice, #stale:not(:empty) { padding: 0.6rem 1rem; margin: 0.75rem 0; border-left: 4px solid var(--accent); background: var(--paper); border-radius: 4px; }
.notice.bad, #stale { border-color: var(--bad); }
.empty { padding: 2rem; text-align: center; color: var(--faint); background: var(--paper); border: 1px dashed var(--line); border-radius: 10px; }
summary { cursor: pointer; padding: 0.35rem 0; }
dialog { color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 1.25rem 1.5rem; }
dialog::backdrop { background: rgb(0 0 0 / 0.4); }
kbd { font: 0.85em ui-monospace, Menlo, Consolas, monospace; border: 1px solid var(--line); border-bottom-width: 2px; border-radius: 4px; padding: 0.05rem 0.4rem; }
@media (max-width: 40rem) {
  main { padding-inline: 0.8rem; }
  .top { padding-inline: 0.8rem; }
  .who { margin-left: 0; }
}
`;
