import { createHash, randomBytes } from 'node:crypto';
import {
  type Cancellation,
  type CancellationEstimate,
  type CancellationFilter,
  type CancellationOptions,
  cancellationFilterSchema,
  cancellationOptionsSchema,
  cancellationSchema,
} from '../shared/contract/cancellation.ts';
import { HeadstoneError, parseInput } from '../shared/contract/errors.ts';
import type { WasteSum } from '../shared/contract/ledger.ts';
import type { Telemetry } from '../shared/runtime/telemetry.ts';
import { locate } from '../shared/store/locate.ts';
import type { StoredFilter } from '../shared/store/lua/matching-part.ts';
import { runCancellation } from '../shared/store/run-cancellation.ts';
import type { Store } from '../shared/store/store.ts';

const SURVEY_CHUNK = 200;
const KEEP_MS = 7 * 86_400_000;

/** Cancels many jobs at once. The store has the filter and the progress, so any process can carry a cancellation on. */
export class Cancellations {
  private readonly store: Store;
  private readonly telemetry: Telemetry;

  constructor(store: Store, telemetry: Telemetry) {
    this.store = store;
    this.telemetry = telemetry;
  }

  /** Says what a cancellation would do, and does nothing. */
  async estimate(filter: CancellationFilter): Promise<CancellationEstimate> {
    const checked = parseInput(cancellationFilterSchema, filter);
    const groups = await this.survey(checked);
    const { data } = await this.store.waste({ groupBy: 'model', tenant: checked.tenant });
    return estimateOf(checked, groups, data);
  }

  /**
   * Writes a cancellation down; `run` carries it out. Beginning it again with the same id and filter is harmless.
   * Throws `id_conflict`.
   */
  async begin(filter: CancellationFilter, options: CancellationOptions = {}): Promise<Cancellation> {
    const checked = parseInput(cancellationFilterSchema, filter);
    const { reason, actor, keyName, id = newId() } = parseInput(cancellationOptionsSchema, options);
    const groups = await this.survey(checked);
    const { reply } = await this.store.run('begin_cancellation', {
      id,
      filter: await this.storedFilter(checked),
      shown_filter: JSON.stringify(checked),
      reason,
      actor,
      key_name: keyName,
      expected: sum(groups.map(([, , count]) => count)),
      keep_ms: KEEP_MS,
    });
    if (reply === 'conflict')
      throw new HeadstoneError('id_conflict', `The id ${id} belongs to another cancellation. Use a new id.`);
    return await this.get(id);
  }

  /**
   * Carries a cancellation out, one chunk at a time. It returns early if the cancellation is stopped, and throws if the signal
   * is aborted. If this process dies first, a worker carries on. Throws `not_durable` if too few replicas hold it.
   */
  async run(id: string, signal?: AbortSignal): Promise<void> {
    await runCancellation(this.store, this.telemetry, id, signal);
  }

  /** Throws `cancellation_not_found`, and `not_durable` for one that has ended. */
  async get(id: string): Promise<Cancellation> {
    const hash = await this.store.ask(client => client.hgetall(this.store.keys.cancellation(id)));
    if (hash.id === undefined) throw notFound(id);
    if (hash.status !== 'running') await this.store.untilCancellationDurable(id, hash.status ?? '');
    return cancellationSchema.parse({
      id: hash.id,
      object: 'cancellation',
      status: hash.status,
      filter: JSON.parse(hash.shown_filter ?? '{}'),
      reason: hash.reason ?? null,
      actor: hash.actor ?? null,
      key_name: hash.key_name ?? null,
      created_at: Number(hash.created_at),
      advanced_at: Number(hash.advanced_at),
      expected: Number(hash.expected),
      examined: Number(hash.examined),
      cancelled: Number(hash.cancelled),
    });
  }

  /** Stops a cancellation. What it has cancelled stays cancelled. */
  async stop(id: string): Promise<Cancellation> {
    await this.store.run('stop_cancellation', { id });
    return await this.get(id);
  }

  /** Replaces ids that were chosen over HTTP by the jobs' own ids. */
  private async storedFilter(filter: CancellationFilter): Promise<StoredFilter> {
    await this.store.ready();
    const seeker = { tenant: filter.tenant ?? null, seesAll: filter.tenant === undefined };
    const located = await Promise.all((filter.ids ?? []).map(id => locate(this.store, id, seeker)));
    const ids = filter.ids?.map((id, position) => located[position]?.id ?? id);
    return storedFilter({ ...filter, ids }, this.store.now());
  }

  private async survey(filter: CancellationFilter): Promise<Group[]> {
    const stored = await this.storedFilter(filter);
    const groups: Group[] = [];
    let below: number | undefined;
    for (;;) {
      const chunk = await this.store.run('survey', {
        filter: stored,
        limit: SURVEY_CHUNK,
        below,
      });
      groups.push(...chunk.groups);
      if (chunk.reply === 'done') return groups;
      below = chunk.below;
    }
  }
}

/** How many jobs of a model have a status. */
type Group = [model: string, status: string, count: number];

function storedFilter(filter: CancellationFilter, now: number): StoredFilter {
  const { all, older_than_ms: olderThanMs, newer_than_ms: newerThanMs, ...rest } = filter;
  const named = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return {
    ...(named as StoredFilter),
    ...(olderThanMs === undefined ? {} : { created_before: now - olderThanMs }),
    ...(newerThanMs === undefined ? {} : { created_after: now - newerThanMs }),
  };
}

function estimateOf(filter: CancellationFilter, groups: Group[], sums: WasteSum[]): CancellationEstimate {
  const averages = new Map(sums.map(model => [model.key, averageOf(model)]));
  const weigh = (some: Group[], of: 'tokens' | 'cost') =>
    Math.round(sum(some.map(([model, , count]) => count * (averages.get(model)?.[of] ?? 0))));
  const queued = groups.filter(([, status]) => status === 'queued');
  return {
    object: 'cancellation_estimate',
    dry_run: true,
    filter,
    jobs: sum(groups.map(([, , count]) => count)),
    by_status: countBy(groups, ([, status]) => status),
    by_model: countBy(groups, ([model]) => model),
    estimate: {
      note: 'An estimate from the average of each model over the last 30 days. Jobs that were launched may be charged even if they are cancelled.',
      tokens: weigh(groups, 'tokens'),
      cost_usd_micros: weigh(groups, 'cost'),
      spared_tokens: weigh(queued, 'tokens'),
      spared_cost_usd_micros: weigh(queued, 'cost'),
      jobs_without_average: sum(groups.map(([model, , count]) => (averages.get(model) ? 0 : count))),
    },
  };
}

/** The average of one response, used or wasted; undefined if none is known. */
function averageOf(model: WasteSum): { tokens: number; cost: number } | undefined {
  const known = model.used_responses + model.responses - model.pending - model.unknown;
  if (known <= 0) return undefined;
  return {
    tokens: (model.used_total_tokens + model.total_tokens) / known,
    cost: (model.used_cost_usd_micros + model.cost_usd_micros) / known,
  };
}

function countBy(groups: Group[], keyOf: (group: Group) => string): Record<string, number> {
  const counts = new Map<string, number>();
  for (const group of groups) counts.set(keyOf(group), (counts.get(keyOf(group)) ?? 0) + group[2]);
  return Object.fromEntries(counts);
}

function sum(numbers: number[]): number {
  return numbers.reduce((left, right) => left + right, 0);
}

function newId(): string {
  return `cancellation_${randomBytes(12).toString('hex')}`;
}

/** The id of the cancellation that an Idempotency-Key names. */
export function idOfKey(keyName: string | null, key: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([keyName, key]))
    .digest('hex');
  return `cancellation_${digest.slice(0, 24)}`;
}

function notFound(id: string): HeadstoneError {
  return new HeadstoneError(
    'cancellation_not_found',
    `There is no cancellation ${id}. It never began, or it ended more than 7 days ago.`,
  );
}
