import { html } from 'ghtml';
import {
  type WasteDimension,
  type WasteReport,
  type WasteSum,
  wasteDimensionSchema,
} from '../../../shared/contract/ledger.ts';
import { counted, span, usd, whole } from '../../../shared/runtime/format.ts';
import { isComparable, likelyCost, usedCost, wastedCost } from '../../../shared/runtime/waste-words.ts';
import type { Caller } from '../../access/key-ring.ts';
import { card, chart, figuresBlock } from '../figures.ts';
import { layout } from '../layout.ts';
import { pathOf, table } from '../parts.ts';
import { everyDay, named } from './days.ts';
import { nameOf, type Period, rowsPath, shareOf, sumsTable, wastedTokens } from './sums.ts';

export interface WastePage extends Period {
  caller: Caller;
  by: Exclude<WasteDimension, 'day'>;
  byDay: WasteReport;
  report: WasteReport;
  byActor: WasteReport;
  /** Redis' time. */
  now: number;
}

const LIVE_MS = 15_000;

/** How many bars a chart shows, because more would be too thin. The table has all of them. */
const MOST_BARS = 12;
const MOST_ACTORS = 5;

export function wastePage(page: WastePage): string {
  const { caller, byDay } = page;
  const { totals, late } = byDay;
  const isEmpty = totals.responses + totals.used_responses === 0;
  return layout({
    title: 'Waste',
    caller,
    section: '/waste',
    scripts: ['charts.js'],
    liveMs: LIVE_MS,
    body: html`<h1>Waste</h1>
!${periodForm(page)}
<div class="cards">
!${card('Wasted', wastedTokens(totals), wastedCost(totals), { kind: 'wasted' })}
!${card('Used', `${whole(totals.used_total_tokens)} tokens`, usedCost(totals), { kind: 'used' })}
!${card('Share of tokens wasted', shareOf(totals), `by responses: ${whole(totals.responses)} of ${whole(totals.responses + totals.used_responses)}`)}
!${card('Usage not known', counted(totals.pending + totals.unknown, 'response'), bound(totals), { href: pathOf('/waste/responses', { ...named(periodOf(page), page.now), kind: 'wasted', usage: 'open' }) })}
</div>
!${isEmpty ? '<p class="empty">Nothing was booked on these days. What jobs use and waste appears here as soon as the first one has run.</p>' : charts(page, late)}`,
  });
}

function periodOf({ since, until, tenant }: Period): Period {
  return { since, until, tenant };
}

function charts(page: WastePage, late: WasteReport['late']): string {
  const { by, byDay, report, byActor } = page;
  const { totals } = byDay;
  const period = named(periodOf(page), page.now);
  return html`<section><h2>Tokens by day</h2>!${chart('tokens-by-day', `Tokens by day: ${whole(totals.total_tokens)} wasted beside ${whole(totals.used_total_tokens)} used`)}</section>
<section><h2>Cost by day</h2>!${chart('cost-by-day', `Cost by day: ${wastedCost(totals)} wasted beside ${usedCost(totals)} used`)}
<details><summary>By day, as a table</summary>!${sumsTable('day', byDay.data, period)}</details></section>
<section><h2 id="by">By ${by}</h2>
!${dimensionLinks(page)}
!${report.data.length === 0 ? '<p class="empty">Nothing was wasted on these days.</p>' : html`!${chart('by-dimension', `Tokens by ${by}; the table below has the figures`)}!${sumsTable(by, report.data, period)}`}
!${by === 'tag' ? '<p><small>A response counts under each of its tags. One without a tag counts only in the sums above.</small></p>' : ''}
<p><a class="button" href="${pathOf('/waste/sums.csv', { ...period, by })}">Download as CSV</a></p>
</section>
!${by === 'actor' || byActor.data.length === 0 ? '' : html`<section><h2>Waste by actor</h2>!${sumsTable('actor', byActor.data.slice(0, MOST_ACTORS), period)}</section>`}
<section><h2>How late results came</h2>
<p>The time from the end of the job until the final usage of its response was first observed.</p>
!${chart('late', 'Unwanted responses by how late their final usage was observed; the table below has the figures')}
!${table(
    'Unwanted responses by how late they were',
    [{ name: 'Within' }, { name: 'Responses', numeric: true }],
    late.map(({ responses }, index) => [html`${within(late, index)}`, html`${whole(responses)}`]),
  )}
</section>
!${figuresBlock(figures(page))}`;
}

function periodForm({ caller, by, since, until, tenant }: WastePage): string {
  return html`<form class="filter" method="get" action="/waste">
<input type="hidden" name="by" value="${by}">
<label>Since <input type="date" name="since" value="${since ?? ''}"></label>
<label>Until <input type="date" name="until" value="${until ?? ''}"></label>
!${caller.admin ? html`<label>Tenant <input name="tenant" value="${tenant ?? ''}" size="12"></label>` : tenant === undefined ? '' : html`<a class="chip" href="/waste">tenant: ${tenant} ✕</a>`}
<button>Show</button>
<small>Days are in UTC. The default is the last 30.</small>
</form>`;
}

/** What the responses without a known usage probably cost, and at most. */
function bound(sum: WasteSum): string {
  const { pending, unknown, most_tokens, most_cost_usd_micros, unbounded } = sum;
  const open = pending + unknown;
  if (open === 0) return 'the tokens of every response are known';
  const states = [
    ...(pending > 0 ? [`${whole(pending)} pending`] : []),
    ...(unknown > 0 ? [`${whole(unknown)} unknown`] : []),
  ].join(', ');
  const likely = likelyCost(sum);
  const most =
    unbounded === open
      ? 'no upper bound'
      : `at most ${usd(most_cost_usd_micros)} (${whole(most_tokens)} tokens)${unbounded > 0 ? ` for ${whole(open - unbounded)} of ${whole(open)}` : ''}`;
  return `${states}: ${[likely, most].filter(Boolean).join('; ')}`;
}

function dimensionLinks(page: WastePage): string {
  const links = wasteDimensionSchema.options
    .filter(option => option !== 'day')
    .map(
      option =>
        html`<a href="${pathOf('/waste', { by: option, ...periodOf(page) })}#by" !${option === page.by ? 'aria-current="true"' : ''}>${option}</a>`,
    );
  return html`<nav class="tabs" aria-label="Group by">!${links.join('')}</nav>`;
}

function within(late: WasteReport['late'], index: number): string {
  const { under_ms: underMs } = late[index] ?? { under_ms: null };
  return underMs === null
    ? 'later'
    : span(underMs)
        .replace(/ 0 (s|min)$/, '')
        .replace('.0 s', ' s');
}

/** The figures that charts.js draws, and where a click on a bar leads. */
function figures(page: WastePage) {
  const { by, byDay, report } = page;
  const period = named(periodOf(page), page.now);
  const shown = report.data.slice(0, MOST_BARS);
  const days = everyDay(byDay.data, page, page.now);
  return {
    days: days.map(({ day }) => day),
    dayLinks: days.map(({ day, sum }) => (sum?.responses ? rowsPath('day', day, period) : null)),
    wasted: days.map(({ sum }) => sum?.total_tokens ?? 0),
    used: days.map(({ sum }) => sum?.used_total_tokens ?? 0),
    wastedUsd: days.map(({ sum }) => (sum?.cost_usd_micros ?? 0) / 1_000_000),
    usedUsd: days.map(({ sum }) => (sum?.used_cost_usd_micros ?? 0) / 1_000_000),
    dimension: {
      keys: shown.map(({ key }) => nameOf(by, key)),
      links: shown.map(sum => (sum.responses > 0 ? rowsPath(by, sum.key, period) : null)),
      wasted: shown.map(sum => sum.total_tokens),
      used: isComparable(by) ? shown.map(sum => sum.used_total_tokens) : null,
    },
    late: {
      labels: byDay.late.map((_, index) => within(byDay.late, index)),
      responses: byDay.late.map(({ responses }) => responses),
    },
  };
}
