/** Tables, tabs, filters and the bar of a selection. */
export const lists = /* css */ `
.scroll { position: relative; overflow-x: auto; background: var(--paper); border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.45rem 0.6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
tbody tr:last-child td { border-bottom: 0; }
tbody tr:hover { background: var(--ground); }
th { font-weight: 600; font-size: 0.85rem; color: var(--faint); }
th a { color: inherit; }
th a[aria-current] { color: var(--ink); }
.num { text-align: right; }
.wraps { white-space: normal; min-width: 11rem; overflow-wrap: anywhere; }
td code { font-size: 0.82em; }
.long { overflow-wrap: anywhere; }
.wasted { color: var(--wasted); }
.used { color: var(--used); }

.badge { font-size: 0.8rem; font-weight: 600; padding: 0.1rem 0.5rem; border-radius: 99px; border: 1px solid currentColor; color: var(--faint); vertical-align: middle; white-space: nowrap; }
.badge.running, .badge.launching { color: var(--accent); }
.badge.completed, .badge.done { color: var(--good); }
.badge.failed { color: var(--bad); }
.badge.cancelled, .badge.expired { color: var(--wasted); }
.tag { font-size: 0.85rem; padding: 0 0.4rem; border: 1px solid var(--line); border-radius: 4px; text-decoration: none; overflow-wrap: anywhere; }
.tags { display: inline-flex; max-width: 100%; gap: 0.25rem; align-items: center; }
.tags .tag { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }

.tabs { display: flex; flex-wrap: wrap; gap: 0.25rem; margin: 0.6rem 0; }
.tabs a { padding: 0.2rem 0.7rem; border: 1px solid var(--line); border-radius: 99px; text-decoration: none; color: var(--faint); }
.tabs a[aria-current] { color: var(--ink); border-color: var(--accent); background: var(--hint); }
.tabs b { font-weight: 600; color: var(--ink); }
.filter { display: flex; flex-wrap: wrap; gap: 0.5rem 0.75rem; align-items: center; margin: 0.75rem 0; }
.filter input[type='search'] { flex: 1 1 14rem; }
.filter details { flex: 1 0 100%; order: 1; }
.filter details > div { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; padding: 0.25rem 0; }
.chips { display: flex; flex-wrap: wrap; gap: 0.4rem; margin: 0.5rem 0; }
.chip { font-size: 0.88rem; padding: 0.1rem 0.6rem; border-radius: 99px; background: var(--hint); color: inherit; text-decoration: none; }

.jobs table { table-layout: fixed; min-width: 68rem; }
main:has(.jobs) { max-width: 100rem; }
.jobs td, .jobs th { padding-inline: 0.5rem; overflow: hidden; text-overflow: ellipsis; }
.jobs .pick { width: 2.3rem; overflow: visible; }
.jobs .id { width: 9rem; text-overflow: clip; }
.jobs .status { width: 7.6rem; }
.jobs .why { width: 10rem; }
.jobs .model { width: 6.4rem; }
.jobs .tenant { width: 5.2rem; }
.jobs .of-tags { width: 6.4rem; }
.jobs .age { width: 4.6rem; }
.jobs .took { width: 5.6rem; }
.jobs .tokens { width: 4.7rem; }
.jobs .cost { width: 5.2rem; text-overflow: clip; }
.jobs tr:focus-within { background: var(--hint); }
.bar { position: sticky; bottom: 0; z-index: 2; display: flex; flex-wrap: wrap; gap: 0.5rem 0.9rem; align-items: center; margin-top: 0.75rem; padding: 0.6rem 0.9rem; background: var(--paper); border: 1px solid var(--line); border-radius: 10px; box-shadow: 0 -2px 12px rgb(0 0 0 / 0.08); }
body:not(:has(input[name='ids']:checked)) #cancel-selected { background: none; border-color: var(--line); color: var(--faint); font-weight: inherit; }

@media (min-width: 95rem) {
  .jobs .model { width: 10rem; }
  .jobs .tenant { width: 7rem; }
  .jobs .why { width: 13rem; }
}

@media (max-width: 40rem) {
  body:not(:has(input[name='ids']:checked)) #cancel-selected { display: none; }
  body:not(:has(input[name='ids']:checked)) #selected { position: absolute; clip-path: inset(50%); }
  .wraps { min-width: 7rem; }
  .jobs table { min-width: 0; }
  .jobs thead { display: none; }
  .jobs table, .jobs tbody { display: block; }
  .jobs tr { display: flex; flex-wrap: wrap; gap: 0.1rem 0.7rem; align-items: center; padding: 0.6rem 0.7rem; border-bottom: 1px solid var(--line); }
  .jobs tr:last-child { border-bottom: 0; }
  .jobs td { display: block; border: 0; padding: 0; width: auto !important; text-align: left; font-size: 0.88rem; color: var(--faint); }
  .jobs td:empty, .jobs td.none { display: none; }
  .jobs td.status { margin-left: auto; }
  .jobs td.prompt { order: 1; flex: 0 0 100%; font-size: 1rem; color: var(--ink); }
  .jobs td.why { order: 2; flex: 0 0 100%; }
  .jobs td.model, .jobs td.tenant, .jobs td.of-tags, .jobs td.age, .jobs td.took, .jobs td.tokens, .jobs td.cost { order: 3; }
  .jobs td.age::after { content: ' old'; }
}
`;
