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
import { boundsOf } from '../shared/contract/days.ts';
import { HeadstoneError, parseInput } from '../shared/contract/errors.ts';
import type { WasteSum } from '../shared/contract/ledger.ts';
import type { Telemetry } from '../shared/runtime/telemetry.ts';
import { averageOf } from '../shared/runtime/waste-words.ts';
import type { Lane } from '../shared/store/lane.ts';
import { locate } from '../shared/store/locate.ts';
import type { StoredFilter } from '../shared/store/lua/matching-part.ts';
import { CANCELLATION_KEPT_MS, runCancellation } from '../shared/store/run-cancellation.ts';
import type { Store } from '../shared/store/store.ts';

const SURVEY_CHUNK = 200;

/** The fields that count the jobs which waited for their launch, by model. */
const SPARED = 'spared:';

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
    await this.store.learnPlan();
    const lanes = await this.store.allLanes();
    const filters = await this.filtersOf(checked, lanes);
    // Every lane is asked before any begins, so that a lane which is away does not leave half of a cancellation behind.
    const groups = await Promise.all(filters.map(({ lane, filter: of }) => survey(lane, of)));
    const begin = async (position: number, count: number) =>
      await lanes[position]?.run('begin_cancellation', {
        id,
        filter: filters[position]?.filter ?? {},
        shown_filter: JSON.stringify(checked),
        reason,
        actor,
        key_name: keyName,
        expected: sum((groups[position] ?? []).map(([, , jobs]) => jobs)),
        lanes: count,
        keep_ms: CANCELLATION_KEPT_MS,
      });
    // The first lane decides what the id means. A cancellation covers the lanes that there were when it began.
    const begun = await begin(0, lanes.length);
    if (!begun || begun.reply === 'conflict')
      throw new HeadstoneError('id_conflict', `The id ${id} belongs to another cancellation. Use a new id.`);
    const others = Array.from({ length: begun.lanes - 1 }, (_, position) => position + 1);
    await Promise.all(others.map(position => begin(position, begun.lanes)));
    return await this.get(id);
  }

  /**
   * Carries a cancellation out, one chunk at a time. It returns early if the cancellation is stopped, and throws if the signal
   * is aborted. If this process dies first, a worker carries on. Throws `not_durable` if too few replicas hold it.
   */
  async run(id: string, signal?: AbortSignal): Promise<void> {
    const lanes = await this.store.allLanes();
    await Promise.all(lanes.map(lane => runCancellation(lane, this.telemetry, id, signal)));
  }

  /** Throws `cancellation_not_found`, and `not_durable` for one that has ended. */
  async get(id: string): Promise<Cancellation> {
    const lanes = await this.store.allLanes();
    const parts = (await Promise.all(lanes.map(lane => partOf(lane, id)))).filter(part => part !== null);
    const found = cancellationOf(parts);
    if (!found) throw notFound(id);
    return found;
  }

  /** The newest cancellations, whether they are under way or have ended. They are kept for 7 days. */
  async list(limit = 50): Promise<Cancellation[]> {
    const lanes = await this.store.allLanes();
    const { home } = this.store;
    const ids = await home.ask(client => client.zrevrange(home.keys.allCancellations(), 0, limit - 1));
    const all = await Promise.all(ids.map(id => Promise.all(lanes.map(lane => storedPart(lane, id)))));
    return all.flatMap(parts => cancellationOf(parts.filter(part => part !== null)) ?? []);
  }

  /** Stops a cancellation. What it has cancelled stays cancelled. */
  async stop(id: string): Promise<Cancellation> {
    await Promise.all((await this.store.allLanes()).map(lane => lane.run('stop_cancellation', { id })));
    return await this.get(id);
  }

  /** The filter as each lane takes it: with the jobs' own ids for those that were chosen over HTTP, and with no other lane's ids. */
  private async filtersOf(filter: CancellationFilter, lanes: Lane[]): Promise<{ lane: Lane; filter: StoredFilter }[]> {
    await Promise.all(lanes.map(lane => lane.ready()));
    const seeker = { tenant: filter.tenant ?? null, seesAll: filter.tenant === undefined };
    const located = await Promise.all(
      (filter.ids ?? []).map(async given => {
        const id = (await locate(this.store, given, seeker))?.id ?? given;
        return { id, lane: await this.store.laneOf(id) };
      }),
    );
    return lanes.map(lane => {
      const ids = filter.ids && located.filter(job => job.lane === lane).map(({ id }) => id);
      return { lane, filter: storedFilter({ ...filter, ids }, lane.now()) };
    });
  }

  private async survey(filter: CancellationFilter): Promise<Group[]> {
    const filters = await this.filtersOf(filter, await this.store.allLanes());
    return (await Promise.all(filters.map(({ lane, filter: of }) => survey(lane, of)))).flat();
  }
}

async function survey(lane: Lane, filter: StoredFilter): Promise<Group[]> {
  const groups: Group[] = [];
  let below: number | undefined;
  for (;;) {
    const chunk = await lane.run('survey', { filter, limit: SURVEY_CHUNK, below });
    groups.push(...chunk.groups);
    if (chunk.reply === 'done') return groups;
    below = chunk.below;
  }
}

/** A lane's part of a cancellation; null if it has none. Throws `not_durable` for one that has ended. */
async function partOf(lane: Lane, id: string): Promise<Record<string, string> | null> {
  const hash = await storedPart(lane, id);
  if (hash && hash.status !== 'running') await lane.untilCancellationDurable(id, hash.status ?? '');
  return hash;
}

async function storedPart(lane: Lane, id: string): Promise<Record<string, string> | null> {
  const hash = await lane.ask(client => client.hgetall(lane.keys.cancellation(id)));
  return hash.id === undefined ? null : hash;
}

/** A cancellation from its parts; null if it has none. */
function cancellationOf(parts: Record<string, string>[]): Cancellation | null {
  const [first] = parts;
  if (!first) return null;
  const total = (of: string) => sum(parts.map(part => Number(part[of] ?? 0)));
  const spared = new Set(parts.flatMap(part => Object.keys(part).filter(field => field.startsWith(SPARED))));
  return cancellationSchema.parse({
    id: first.id,
    object: 'cancellation',
    status: statusOf(parts, Number(first.lanes ?? 1)),
    filter: JSON.parse(first.shown_filter ?? '{}'),
    reason: first.reason ?? null,
    actor: first.actor ?? null,
    key_name: first.key_name ?? null,
    created_at: Math.min(...parts.map(part => Number(part.created_at))),
    advanced_at: Math.max(...parts.map(part => Number(part.advanced_at))),
    expected: total('expected'),
    examined: total('examined'),
    cancelled: total('cancelled'),
    spared_by_model: parts.every(part => part.counts_spared)
      ? Object.fromEntries([...spared].map(field => [field.slice(SPARED.length), total(field)]))
      : null,
  });
}

/**
 * A cancellation goes on while a lane has something left, and is stopped if one was. If the process that began it died before it
 * had told every lane, nobody goes on with those, which is a stop too; beginning it again goes on.
 */
function statusOf(parts: Record<string, string>[], lanes: number): string {
  const is = (status: string) => parts.some(part => part.status === status);
  if (is('running')) return 'running';
  return is('stopped') || parts.length < lanes ? 'stopped' : 'done';
}

/** How many jobs of a model have a status. */
type Group = [model: string, status: string, count: number];

function storedFilter(filter: CancellationFilter, now: number): StoredFilter {
  const { all, older_than_ms: olderThanMs, newer_than_ms: newerThanMs, since, until, ...rest } = filter;
  const named = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  const { from, to } = boundsOf({ since, until });
  const before = Math.min(to, olderThanMs === undefined ? Number.POSITIVE_INFINITY : now - olderThanMs);
  const after = Math.max(from, newerThanMs === undefined ? Number.NEGATIVE_INFINITY : now - newerThanMs);
  return {
    ...(named as StoredFilter),
    ...(Number.isFinite(before) ? { created_before: before } : {}),
    ...(Number.isFinite(after) ? { created_after: after } : {}),
  };
}

function estimateOf(filter: CancellationFilter, groups: Group[], sums: WasteSum[]): CancellationEstimate {
  const averages = new Map(sums.map(model => [model.key, averageOf(model)]));
  const weigh = (some: Group[], of: 'tokens' | 'cost') =>
    Math.round(sum(some.map(([model, , count]) => count * (averages.get(model)?.[of] ?? 0))));
  const queued = groups.filter(([, status]) => status === 'queued');
  const jobsOf = (some: Group[], isMeant: (average: ReturnType<typeof averageOf>) => boolean) =>
    sum(some.map(([model, , count]) => (isMeant(averages.get(model)) ? count : 0)));
  return {
    object: 'cancellation_estimate',
    dry_run: true,
    filter,
    jobs: sum(groups.map(([, , count]) => count)),
    by_status: countBy(groups, ([, status]) => status),
    by_model: countBy(groups, ([model]) => model),
    estimate: {
      note: 'This is an estimate from each model’s average over the last 30 days. Jobs that were launched may be charged even if they are cancelled.',
      tokens: weigh(groups, 'tokens'),
      cost_usd_micros: weigh(groups, 'cost'),
      spared_tokens: weigh(queued, 'tokens'),
      spared_cost_usd_micros: weigh(queued, 'cost'),
      jobs_without_average: jobsOf(groups, average => average === undefined),
      jobs_without_price: jobsOf(groups, average => average?.cost === null),
      spared_without_cost: jobsOf(queued, average => (average?.cost ?? null) === null),
    },
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
