import { html } from 'ghtml';
import { heldLaunches, holdAdvice } from '../../../shared/contract/holds.ts';
import type { WasteReport, WasteSum } from '../../../shared/contract/ledger.ts';
import type { Overview } from '../../../shared/contract/overview.ts';
import { span, usd, whole } from '../../../shared/runtime/format.ts';
import { likelyCost } from '../../../shared/runtime/waste-words.ts';
import type { Caller } from '../../access/key-ring.ts';
import { everyDay } from '../days.ts';
import { layout } from '../layout.ts';
import { table } from '../parts.ts';

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
!${card('Wasted', `${whole(today.total_tokens)} tokens`, [usd(today.cost_usd_micros), likelyCost(today) && `${likelyCost(today)} more, not known yet`].filter(Boolean).join(', '), 'wasted', '/waste')}
!${card('Used', `${whole(today.used_total_tokens)} tokens`, usd(today.used_cost_usd_micros), 'used', '/waste')}
</div>
</div>
!${overview ? controls(overview) : ''}
<section><h2>Tokens by day, the last 30 days</h2><div class="chart"><canvas id="tokens-by-day" role="img" aria-label="Tokens by day: ${whole(month.totals.total_tokens)} wasted beside ${whole(month.totals.used_total_tokens)} used"></canvas></div></section>
<section><h2>What caused the waste</h2>
!${
      causes.data.length === 0
        ? '<p class="empty">Nothing was wasted in the last 30 days.</p>'
        : table(
            'Waste of the last 30 days by reason',
            [
              { name: 'Reason' },
              { name: 'Tokens', numeric: true },
              { name: 'Cost', numeric: true },
              { name: 'Responses', numeric: true },
            ],
            causes.data
              .slice(0, MOST_CAUSES)
              .map(sum => [
                html`${sum.key || '(none given)'}`,
                html`${whole(sum.total_tokens)}`,
                html`${usd(sum.cost_usd_micros)}`,
                html`${whole(sum.responses)}`,
              ]),
          )
    }
<p><a href="/waste?by=reason#by">All of them</a></p></section>
<script type="application/json" id="figures">!${figures(month)}</script>`,
  });
}

function state({ depths, ended, more, oldest_queued_at: oldest, workers }: Overview, now: number): string {
  const { jobs } = depths;
  const failed = ended.failed ?? 0;
  const all = Object.values(ended).reduce((sum, count) => sum + count, 0);
  return html`<div class="cards narrow">
!${card('Queued', whole((jobs.queued ?? 0) + (jobs.launching ?? 0)), oldest === null ? 'nothing waits' : `the oldest for ${span(Math.max(0, now - oldest))}`, '', '/jobs?status=queued')}
!${card('Running', whole(jobs.running ?? 0), depths.due_polls > 0 ? `${whole(depths.due_polls)} polls are due` : 'at the provider', '', '/jobs?status=running')}
!${card('Watched', whole(depths.unsettled_responses), 'responses that nobody wants, until their tokens are known')}
!${card('Failed in the last hour', whole(failed), `of ${more ? 'more than ' : ''}${whole(all)} that ended`, failed > 0 ? 'bad' : '', '/jobs?status=failed')}
!${card('Workers', whole(workers), workers === 0 ? 'none is alive' : 'alive', workers === 0 ? 'bad' : '')}
</div>`;
}

/** What an operator may do here. Forms are outside of what is refreshed, since somebody may be about to press a button. */
function controls({ depths, holds }: Overview): string {
  const launching = depths.launch_paused
    ? html`<form method="post" action="/launch/resume"><button>Resume launching</button></form>`
    : html`<form method="post" action="/launch/pause"><button>Pause launching</button></form>`;
  const held = holds.map(
    ({ scope, code, waiting }) => html`<form class="card row" method="post" action="/holds/release">
<input type="hidden" name="scope" value="${scope}">
<span>Held: ${heldLaunches(scope)} (<code>${code}</code>), ${whole(waiting)} waiting. ${holdAdvice(code)}</span>
<button>Try now</button>
</form>`,
  );
  return html`<section id="controls"><h2>Launching</h2>!${held.join('\n')}
!${launching}</section>`;
}

function card(name: string, figure: string, more: string, kind = '', href = ''): string {
  const title = href === '' ? html`${name}` : html`<a href="${href}">${name}</a>`;
  return html`<div class="card figure ${kind}"><h2>!${title}</h2><p>${figure}</p><small>${more}</small></div>`;
}

/** The figures that charts.js draws. No field can end the block. */
function figures({ data }: WasteReport): string {
  const days = everyDay(data);
  return JSON.stringify({
    days: days.map(({ day }) => day),
    wasted: days.map(({ sum }) => sum?.total_tokens ?? 0),
    used: days.map(({ sum }) => sum?.used_total_tokens ?? 0),
  }).replaceAll('<', '\\u003c');
}
