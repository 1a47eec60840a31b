import { html } from 'ghtml';
import {
  type WasteDimension,
  type WasteReport,
  type WasteSum,
  wasteDimensionSchema,
} from '../../../shared/contract/ledger.ts';
import { counted, span, usd, whole } from '../../../shared/runtime/format.ts';
import { likelyCost, nothingKnown } from '../../../shared/runtime/waste-words.ts';
import type { Caller } from '../../access/key-ring.ts';
import { everyDay } from '../days.ts';
import { layout } from '../layout.ts';
import { table } from '../parts.ts';

export interface WastePage {
  caller: Caller;
  by: Exclude<WasteDimension, 'day'>;
  since: string | undefined;
  until: string | undefined;
  tenant: string | undefined;
  byDay: WasteReport;
  report: WasteReport;
}

/** How many bars a chart shows, because more would be too thin. The table has all of them. */
const MOST_BARS = 12;

export function wastePage(page: WastePage): string {
  const { caller, by, byDay, report } = page;
  const { totals, late } = byDay;
  return layout({
    title: 'Waste',
    caller,
    section: '/waste',
    scripts: ['charts.js'],
    body: html`<h1>Waste</h1>
!${periodForm(page)}
<div class="cards">
!${card('Wasted', `${whole(totals.total_tokens)} tokens`, `${usd(totals.cost_usd_micros)}${totals.unpriced > 0 ? `, and ${counted(totals.unpriced, 'response')} without a price` : ''}`, 'wasted')}
!${card('Used', `${whole(totals.used_total_tokens)} tokens`, usd(totals.used_cost_usd_micros), 'used')}
!${card('Share wasted', percentage(totals), `${whole(totals.responses)} of ${whole(totals.responses + totals.used_responses)} responses`)}
!${card('Usage not known', counted(totals.pending + totals.unknown, 'response'), bound(totals))}
</div>
<section><h2>Tokens by day</h2>!${chart('tokens-by-day', `Tokens by day: ${whole(totals.total_tokens)} wasted beside ${whole(totals.used_total_tokens)} used`)}</section>
<section><h2>Cost by day</h2>!${chart('cost-by-day', `Cost by day: ${usd(totals.cost_usd_micros)} wasted beside ${usd(totals.used_cost_usd_micros)} used`)}
<details><summary>By day, as a table</summary>!${sumsTable('day', byDay.data)}</details></section>
<section><h2 id="by">By ${by}</h2>
!${dimensionLinks(page)}
!${report.data.length === 0 ? '' : chart('by-dimension', `Tokens by ${by}; the table below has the figures`)}
!${report.data.length === 0 ? '<p class="empty">Nothing was booked on these days.</p>' : sumsTable(by, report.data)}
!${by === 'tag' ? '<p><small>A response counts under each of its tags. One without a tag counts only in the sums above.</small></p>' : ''}
</section>
<section><h2>How late results came</h2>
<p>The time from the end of the job until the final usage of its response was first observed.</p>
!${chart('late', 'Unwanted responses by how late their final usage was observed; the table below has the figures')}
!${table(
      'Unwanted responses by how late they were',
      [{ name: 'Within' }, { name: 'Responses', numeric: true }],
      late.map(({ responses }, index) => [html`${within(late, index)}`, html`${whole(responses)}`]),
    )}
</section>
<script type="application/json" id="figures">!${figures(page)}</script>`,
  });
}

function periodForm({ caller, by, since, until, tenant }: WastePage): string {
  return html`<form class="filter" method="get" action="/waste">
<input type="hidden" name="by" value="${by}">
<label>Since <input type="date" name="since" value="${since ?? ''}"></label>
<label>Until <input type="date" name="until" value="${until ?? ''}"></label>
!${caller.admin ? html`<label>Tenant <input name="tenant" value="${tenant ?? ''}" size="12"></label>` : ''}
<button>Show</button>
<small>Days are in UTC. The default is the last 30.</small>
</form>`;
}

function card(name: string, figure: string, more: string, kind = ''): string {
  return html`<div class="card figure ${kind}"><h2>${name}</h2><p>${figure}</p><small>${more}</small></div>`;
}

/** What the responses without a known usage probably cost, and at most. */
function bound(sum: WasteSum): string {
  const { pending, unknown, most_tokens, most_cost_usd_micros, unbounded } = sum;
  const open = pending + unknown;
  if (open === 0) return 'the tokens of every response are known';
  const states = `${pending} pending, ${unknown} unknown`;
  const likely = likelyCost(sum);
  const most =
    unbounded === open
      ? 'without a bound'
      : `at most ${usd(most_cost_usd_micros)}, ${whole(most_tokens)} tokens${unbounded > 0 ? ` for ${whole(open - unbounded)} of them` : ''}`;
  return `${states}: ${[likely, most].filter(Boolean).join(', ')}`;
}

/** A share is told only once something is known of the waste: unknown is never zero. */
function percentage(sum: WasteSum): string {
  const { total_tokens, used_total_tokens } = sum;
  const all = total_tokens + used_total_tokens;
  return all === 0 || nothingKnown(sum) ? '–' : `${((100 * total_tokens) / all).toFixed(1)} %`;
}

/** A chart with a label. A table shows the same figures, so a screen reader misses nothing. */
function chart(id: string, label: string): string {
  return html`<div class="chart"><canvas id="${id}" role="img" aria-label="${label}"></canvas></div>`;
}

/** Used responses have no cause, no reason and no actor, so these sums cannot be compared with them. */
function isComparable(by: WasteDimension): boolean {
  return by !== 'cause' && by !== 'reason' && by !== 'actor';
}

function sumsTable(by: WasteDimension, sums: WasteSum[]): string {
  const comparable = isComparable(by);
  return table(
    `Wasted and used tokens by ${by}`,
    [
      { name: by },
      { name: 'Wasted tokens', numeric: true },
      { name: 'Cost', numeric: true },
      { name: 'Responses', numeric: true },
      { name: 'Pending', numeric: true },
      { name: 'Unknown', numeric: true },
      ...(comparable
        ? [
            { name: 'Used tokens', numeric: true },
            { name: 'Wasted', numeric: true },
          ]
        : []),
    ],
    sums.map(sum => [
      html`${sum.key || '(none)'}`,
      html`${nothingKnown(sum) ? 'not known yet' : whole(sum.total_tokens)}`,
      html`${cost(sum)}`,
      html`${whole(sum.responses)}`,
      html`${whole(sum.pending)}`,
      html`${whole(sum.unknown)}`,
      ...(comparable ? [html`${whole(sum.used_total_tokens)}`, percentage(sum)] : []),
    ]),
  );
}

function cost(sum: WasteSum): string {
  const { cost_usd_micros, unpriced, responses } = sum;
  const likely = likelyCost(sum);
  if (nothingKnown(sum)) return likely || 'not known yet';
  const known = unpriced === responses ? 'no price' : usd(cost_usd_micros);
  const more = unpriced > 0 && unpriced < responses ? ` + ${unpriced} without price` : '';
  return `${known}${more}${likely ? ` + ${likely}` : ''}`;
}

function dimensionLinks({ by, since, until, tenant }: WastePage): string {
  const links = wasteDimensionSchema.options
    .filter(option => option !== 'day')
    .map(option => {
      const query = Object.entries({ by: option, since, until, tenant }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      );
      return html`<a href="/waste?${new URLSearchParams(query)}#by" !${option === by ? 'aria-current="true"' : ''}>${option}</a>`;
    });
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

/** The figures that charts.js draws. They are in a block that the browser does not run, and no field can end the block. */
function figures({ by, byDay, report, since, until }: WastePage): string {
  const shown = report.data.slice(0, MOST_BARS);
  const days = everyDay(byDay.data, { since, until });
  const data = {
    days: days.map(({ day }) => day),
    wasted: days.map(({ sum }) => sum?.total_tokens ?? 0),
    used: days.map(({ sum }) => sum?.used_total_tokens ?? 0),
    wastedUsd: days.map(({ sum }) => (sum?.cost_usd_micros ?? 0) / 1_000_000),
    usedUsd: days.map(({ sum }) => (sum?.used_cost_usd_micros ?? 0) / 1_000_000),
    dimension: {
      keys: shown.map(({ key }) => key || '(none)'),
      wasted: shown.map(sum => sum.total_tokens),
      used: isComparable(by) ? shown.map(sum => sum.used_total_tokens) : null,
    },
    late: {
      labels: byDay.late.map((_, index) => within(byDay.late, index)),
      responses: byDay.late.map(({ responses }) => responses),
    },
  };
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}
