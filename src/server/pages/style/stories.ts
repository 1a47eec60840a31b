/** What one page tells: facts, cards with figures, a job's story and its bar, charts, prose, the description of the API. */
export const stories = /* css */ `
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 0.7rem 1.5rem; margin: 1rem 0; }
.facts dt { font-size: 0.85rem; color: var(--faint); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.lead { font-size: 1.08rem; margin: 0.4rem 0 0.8rem; overflow-wrap: anywhere; }
.prompt-line { color: var(--faint); margin: 0 0 0.5rem; overflow-wrap: anywhere; }

.timeline { list-style: none; margin: 0; padding: 0 0 0 1.1rem; border-left: 2px solid var(--line); }
.timeline li { position: relative; padding: 0 0 0.8rem 0.25rem; }
.timeline li::before { content: ''; position: absolute; left: -1.5rem; top: 0.45rem; width: 0.65rem; height: 0.65rem; border-radius: 50%; background: var(--line); border: 2px solid var(--ground); }
.timeline li.cancelled::before, .timeline li.late_result_dropped::before, .timeline li.settled::before { background: var(--wasted); }
.timeline li.completed::before, .timeline li.launched::before, .timeline li.launch_acknowledged::before { background: var(--good); }
.timeline li.failed::before { background: var(--bad); }
.timeline p { margin: 0; overflow-wrap: anywhere; }
.timeline time { color: var(--faint); font-size: 0.85rem; }

.phases { display: flex; height: 1.1rem; border-radius: 6px; overflow: hidden; background: var(--line); gap: 1px; margin: 0.75rem 0 0.35rem; }
.phases rect { stroke: none; }
.phases svg, svg.phases { width: 100%; height: 1.1rem; display: block; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; list-style: none; margin: 0 0 1rem; padding: 0; font-size: 0.88rem; }
.legend li::before { content: ''; display: inline-block; width: 0.7rem; height: 0.7rem; border-radius: 3px; margin-right: 0.4rem; background: currentColor; vertical-align: -0.05rem; }
.legend span { color: var(--ink); }
.phases .queued, .legend .queued { color: var(--faint); fill: var(--faint); }
.phases .launching, .legend .launching { color: var(--accent); fill: var(--accent); }
.phases .running, .legend .running { color: var(--used); fill: var(--used); }
.phases .watched, .legend .watched { color: var(--wasted); fill: var(--wasted); }

.keys { display: grid; gap: 0.4rem; margin: 0.75rem 0 1rem; }
.keys div { display: grid; grid-template-columns: 3rem 1fr; }
.keys dd { margin: 0; }
dialog h2 { margin: 0; }

.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: 0.9rem; }
.cards.narrow { grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); }
#controls { display: grid; gap: 0.75rem; justify-items: start; }
.figure h2 { margin: 0; font-size: 0.9rem; color: var(--faint); }
.figure p { margin: 0.15rem 0; font-size: 1.45rem; font-weight: 650; }
.figure.wasted p { color: var(--wasted); }
.figure.used p { color: var(--used); }
.figure.bad p { color: var(--bad); }
.chart { position: relative; height: 15rem; background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 0.75rem; margin-bottom: 1rem; }
.chart.clickable canvas { cursor: pointer; }
progress { width: 100%; height: 0.9rem; accent-color: var(--accent); }

.prose { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: 0.25rem 1.1rem; max-height: 34rem; overflow: auto; overflow-wrap: anywhere; }
.prose h1, .prose h2, .prose h3 { font-size: 1.05rem; margin: 1rem 0 0.4rem; }
.prose pre { background: var(--ground); }
.prose table { width: auto; }
.prose td, .prose th { white-space: normal; }
.said { margin: 0.75rem 0; }
.said > h3 { font-size: 0.85rem; font-weight: 600; color: var(--faint); margin: 0 0 0.25rem; }

.api { display: grid; grid-template-columns: 13rem 1fr; gap: 1.5rem; align-items: start; }
.api > nav { position: sticky; top: 0.5rem; font-size: 0.9rem; display: grid; gap: 0.2rem; }
.api > nav a { text-decoration: none; }
.api section > article { padding: 1rem 0; border-top: 1px solid var(--line); }
.api h3 { margin: 0; font-size: 1rem; overflow-wrap: anywhere; }
.verb { font: 700 0.75rem ui-monospace, Menlo, Consolas, monospace; padding: 0.15rem 0.45rem; border-radius: 4px; background: var(--hint); color: var(--accent); }
.verb.post { color: var(--good); }
.verb.delete { color: var(--bad); }
@media (max-width: 60rem) {
  .api { grid-template-columns: minmax(0, 1fr); }
  .api > nav { position: static; }
}
@media (max-width: 40rem) {
  .facts { grid-template-columns: 1fr 1fr; }
}
`;
