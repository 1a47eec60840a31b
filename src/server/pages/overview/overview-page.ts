import { html } from 'ghtml';
import { heldLaunches, holdAdvice, reachOf } from '../../../shared/contract/holds.ts';
import type { WasteReport, WasteSum } from '../../../shared/contract/ledger.ts';
import type { Overview } from '../../../shared/contract/overview.ts';
import { span, whole } from '../../../shared/runtime/format.ts';
import { usedCost, wastedCost } from '../../../shared/runtime/waste-words.ts';
import type { Caller } from '../../access/key-ring.ts';
import { card, chart, figuresBlock } from '../figures.ts';
import { layout } from '../layout.ts';
import { pathOf } from '../parts.ts';
import { everyDay, named } from '../waste/days.ts';
import { sumsTable, wastedTokens } from '../waste/sums.ts';

export interface OverviewPage {
  caller: Caller;
  /** Null for a caller who may not see what concerns every tenant. */
  overview: Overview | null;
  today: WasteSum;
  month: WasteReport;
  causes: WasteReport;
  now: number;
}

const LIVE_MS = 5000;
const MOST_CAUSES = 5;

/** The first page of somebody who wants to know whether all is well. */
export function overviewPage({ caller, overview, today, month, causes, now }: OverviewPage): string {
  return layout({
    title: 'Overview',
    caller,
    section: '/',
    scripts: ['charts.js'],
    liveMs: LIVE_MS,
    body: html`<h1>Overview</h1>
<div>
!${overview ? state(overview, now) : ''}
<h2>Today (UTC)</h2>
<div class="cards">
!${card('Wasted', wastedTokens(today), wastedCost(today), { kind: 'wasted', href: '/waste' })}
!${card('Used', `${whole(today.used_total_tokens)} tokens`, usedCost(today), { kind: 'used', href: '/waste' })}
</div>
</div>
!${overview ? controls(overview) : ''}
<section><h2>Tokens by day, the last 30 days</h2>!${chart('tokens-by-day', `Tokens by day: ${whole(month.totals.total_tokens)} wasted beside ${whole(month.totals.used_total_tokens)} used`)}</section>
<section><h2>Why tokens were wasted</h2>
!${
      causes.data.length === 0
        ? '<p class="empty">Nothing was wasted in the last 30 days.</p>'
        : sumsTable('reason', causes.data.slice(0, MOST_CAUSES), named({ tenant: undefined }, now))
    }
<p><a href="/waste?by=reason#by">All waste by reason</a></p></section>
!${figuresBlock(figures(month, now))}`,
  });
}

function state({ depths, ended, more, oldest_queued_at: oldest, workers, versions }: Overview, now: number): string {
  const { jobs } = depths;
  const failed = ended.failed ?? 0;
  const all = Object.values(ended).reduce((sum, count) => sum + count, 0);
  return html`<div class="cards narrow">
!${card('Queued', whole((jobs.queued ?? 0) + (jobs.launching ?? 0)), oldest === null ? 'nothing waits' : `oldest waiting ${span(Math.max(0, now - oldest))}`, { href: '/jobs?status=queued' })}
!${card('Running', whole(jobs.running ?? 0), depths.due_polls > 0 ? `${whole(depths.due_polls)} polls are due` : 'at the provider', { href: '/jobs?status=running' })}
!${card('Watched', whole(depths.unsettled_responses), 'responses whose tokens are not known yet', { href: '/waste/responses?usage=open' })}
!${card('Failed in the last hour', whole(failed), `of ${more ? 'more than ' : ''}${whole(all)} that ended`, { kind: failed > 0 ? 'bad' : '', href: '/jobs?status=failed' })}
!${card('Workers', whole(workers), versionsOf(versions), { kind: workers === 0 ? 'bad' : '' })}
</div>`;
}

function versionsOf(versions: Overview['versions']): string {
  const all = Object.entries(versions);
  if (all.length === 0) return 'none running';
  return all.length === 1
    ? `version ${all[0]?.[0]}`
    : all.map(([version, count]) => `${count} of version ${version}`).join(', ');
}

/** What an operator may do here. */
function controls({ depths, holds }: Overview): string {
  const launching = depths.launch_paused
    ? html`<form method="post" action="/launch/resume"><button>Resume launching</button></form>`
    : html`<form method="post" action="/launch/pause"><button>Pause launching</button></form>`;
  const held = holds.map(
    ({ scope, code, kind, waiting }) => html`<form class="card row" method="post" action="/holds/release">
<input type="hidden" name="scope" value="${scope}">
<span>Held: ${heldLaunches(scope)} (<code>${code}</code>), <a href="${pathOf('/jobs', { status: 'queued', ...reachOf(scope) })}">${whole(waiting)} waiting</a>. ${holdAdvice(code, kind)}</span>
<button>Try now</button>
</form>`,
  );
  return html`<section id="controls"><h2>Launching</h2>!${held.join('\n')}
!${launching}</section>`;
}

/** The figures that charts.js draws, and where a click on a day leads. */
function figures({ data }: WasteReport, now: number) {
  const days = everyDay(data, {}, now);
  return {
    days: days.map(({ day }) => day),
    dayLinks: days.map(({ day }) => `/waste?since=${day}&until=${day}`),
    wasted: days.map(({ sum }) => sum?.total_tokens ?? 0),
    used: days.map(({ sum }) => sum?.used_total_tokens ?? 0),
  };
}
