/** The style sheet of all pages, light and dark, for small and large screens. It is a string, because compilers copy no CSS files. */
export const styleSheet = /* css */ `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f7f7f9, #14161b);
  --paper: light-dark(#ffffff, #1c1f26);
  --ink: light-dark(#1d2129, #e7e9ee);
  --faint: light-dark(#5a6272, #a0a7b5);
  --line: light-dark(#dfe2e8, #333844);
  --accent: light-dark(#3f51c8, #98a6ff);
  --bad: light-dark(#b3261e, #ff8f85);
  --wasted: light-dark(#c2410c, #fb923c);
  --used: light-dark(#2f6f9f, #6db3e8);
  --good: light-dark(#1b6e3c, #6fd398);
  font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); }
main { max-width: 76rem; margin: 0 auto; padding: 1rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; margin: 1rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 0.75rem; }
a { color: var(--accent); }
small { color: var(--faint); }
code, pre { font: 0.875em/1.5 ui-monospace, 'SF Mono', Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; max-height: 28rem; overflow: auto; white-space: pre-wrap; }
.text:empty::before { content: 'Nothing yet.'; color: var(--faint); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--paper); padding: 0.5rem; z-index: 1; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }

.top { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 1.5rem; padding: 0.6rem 1.25rem; background: var(--paper); border-bottom: 1px solid var(--line); }
.brand { display: flex; align-items: center; gap: 0.5rem; font-weight: 650; color: var(--ink); text-decoration: none; }
.top nav { display: flex; gap: 0.25rem; }
.top nav a { padding: 0.3rem 0.7rem; border-radius: 6px; text-decoration: none; color: var(--faint); }
.top nav a:hover, .top nav a[aria-current] { color: var(--ink); background: var(--ground); }
.who { margin-left: auto; display: flex; align-items: center; gap: 0.75rem; }

button, .button, input, select { font: inherit; color: inherit; padding: 0.4rem 0.8rem; border: 1px solid var(--line); border-radius: 6px; background: var(--paper); }
button, .button { cursor: pointer; display: inline-block; text-decoration: none; }
button:hover, .button:hover { border-color: var(--accent); }
.danger { background: var(--bad); border-color: var(--bad); color: light-dark(#fff, #2a0a07); font-weight: 600; }
.quiet { border-color: transparent; background: none; color: var(--faint); padding-inline: 0.4rem; }
input[type='checkbox'] { width: 1.1rem; height: 1.1rem; vertical-align: middle; }
.row, .filter { display: flex; flex-wrap: wrap; gap: 0.6rem 1rem; align-items: center; }
.row input:not([type='checkbox']) { flex: 1 1 14rem; }
.filter { margin: 1rem 0; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.25rem; }
.cancel { margin: 1rem 0; display: grid; gap: 0.5rem; }
.sign-in { max-width: 26rem; margin: 3rem auto; display: grid; gap: 0.75rem; }
.sign-in h1 { margin: 0; }
.notice { padding: 0.6rem 1rem; border-left: 4px solid var(--accent); background: var(--paper); border-radius: 4px; }
.notice.bad { border-color: var(--bad); }
.empty { padding: 2rem; text-align: center; color: var(--faint); background: var(--paper); border: 1px dashed var(--line); border-radius: 10px; }

.scroll { overflow-x: auto; background: var(--paper); border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.45rem 0.65rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
tbody tr:last-child td { border-bottom: 0; }
th { font-weight: 600; font-size: 0.85rem; color: var(--faint); }
.num { text-align: right; }
.wraps { white-space: normal; min-width: 11rem; overflow-wrap: anywhere; }
td code { font-size: 0.82em; }
.wasted { color: var(--wasted); }
.used { color: var(--used); }

.badge { font-size: 0.8rem; font-weight: 600; padding: 0.1rem 0.55rem; border-radius: 99px; border: 1px solid currentColor; color: var(--faint); vertical-align: middle; }
.badge.running, .badge.launching { color: var(--accent); }
.badge.completed { color: var(--good); }
.badge.failed { color: var(--bad); }
.badge.cancelled, .badge.expired { color: var(--wasted); }
.tag { font-size: 0.85rem; padding: 0 0.4rem; border: 1px solid var(--line); border-radius: 4px; text-decoration: none; }

.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 0.75rem 1.5rem; margin: 1rem 0; }
.facts dt { font-size: 0.85rem; color: var(--faint); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.timeline { list-style: none; margin: 0; padding: 0 0 0 1.1rem; border-left: 2px solid var(--line); }
.timeline li { position: relative; padding: 0 0 0.9rem 0.25rem; }
.timeline li::before { content: ''; position: absolute; left: -1.5rem; top: 0.45rem; width: 0.65rem; height: 0.65rem; border-radius: 50%; background: var(--line); border: 2px solid var(--ground); }
.timeline li.cancelled::before, .timeline li.late_result_dropped::before, .timeline li.settled::before { background: var(--wasted); }
.timeline li.completed::before, .timeline li.launched::before, .timeline li.launch_acknowledged::before { background: var(--good); }
.timeline p { margin: 0; overflow-wrap: anywhere; }
.timeline time { color: var(--faint); font-size: 0.85rem; }

.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: 1rem; }
.cards.narrow { grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); }
#controls { display: grid; gap: 0.75rem; justify-items: start; }
.figure h2 { margin: 0; font-size: 0.9rem; color: var(--faint); }
.figure p { margin: 0.2rem 0; font-size: 1.5rem; font-weight: 650; }
.chart { position: relative; height: 16rem; background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 0.75rem; margin-bottom: 1rem; }
.tabs { display: flex; flex-wrap: wrap; gap: 0.25rem; margin-bottom: 0.75rem; }
.tabs a { padding: 0.25rem 0.8rem; border: 1px solid var(--line); border-radius: 99px; text-decoration: none; color: var(--faint); }
.tabs a[aria-current] { color: var(--ink); border-color: var(--accent); }
progress { width: 100%; height: 1rem; accent-color: var(--accent); }
summary { cursor: pointer; padding: 0.5rem 0; }
@media (max-width: 40rem) {
  main { padding-inline: 0.8rem; }
  .facts { grid-template-columns: 1fr 1fr; }
  .who { margin-left: 0; }
}
`;
