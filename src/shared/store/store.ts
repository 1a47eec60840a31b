import { setMaxListeners } from 'node:events';
import { HeadstoneError } from '../contract/errors.ts';
import type { Job, JobSummary, ListFilter } from '../contract/job.ts';
import type { LedgerQuery, LedgerRow, WasteDimension, WasteQuery, WasteReport } from '../contract/ledger.ts';
import type { JobsView, ViewQuery } from '../contract/view.ts';
import type { WasteRows, WasteRowsQuery } from '../contract/waste-rows.ts';
import { prefixSchema } from '../runtime/setting-formats.ts';
import type { Configuration } from '../runtime/settings.ts';
import type { Telemetry } from '../runtime/telemetry.ts';
import type { RedisClient } from './connection/client.ts';
import type { Patience } from './connection/patience.ts';
import type { Connection } from './connection/redis.ts';
import { Lane } from './lane.ts';
import { agreeOnPlan, openFences, raiseLanes, readPlan } from './lanes/count.ts';
import { LanePlan, newJobId } from './lanes/plan.ts';
import { Link } from './link.ts';
import { listJobs } from './list.ts';
import { listRows } from './list-rows.ts';
import type { HoldNews } from './lua/copy-holds.ts';
import { SEQUENCES_IN_A_MS } from './lua/script.ts';
import type { JobRecord } from './record.ts';
import type { ArgumentsOf, JobScript, ReplyOf } from './scripts.ts';
import { viewJobs } from './view-jobs.ts';
import { viewRows } from './view-rows.ts';
import { daysOf, readReports, readWaste } from './waste.ts';

/** How long a process goes by the plan that it read last. A busy one reads it anew before, so that no call waits for that. */
const PLAN_MS = 1000;
const PLAN_AGAIN_MS = 500;

export interface StoreOptions {
  connection: Connection;
  prefix: string;
  patience: Patience;
  configuration: Configuration;
  telemetry: Telemetry;
}

/** Everything that a deployment keeps: its lanes, and what is asked of all of them. */
export class Store {
  /** Aborted when the store is closed, so that nobody waits on it any longer. */
  readonly closing: AbortSignal;
  private readonly link: Link;
  private readonly prefix: string;
  private readonly configuration: Configuration;
  private readonly closed = new AbortController();
  private readonly opened: Lane[] = [];
  private plan = new LanePlan([1]);
  private plannedAt = Number.NEGATIVE_INFINITY;
  private agreed: Promise<void> | undefined;
  private lastPlace = 0;

  constructor({ connection, prefix, patience, configuration, telemetry }: StoreOptions) {
    const { error } = prefixSchema.safeParse(prefix);
    if (error) throw new HeadstoneError('configuration', `prefix ${error.issues[0]?.message}.`, { param: 'prefix' });
    this.link = new Link(connection, patience, telemetry);
    this.prefix = prefix;
    this.configuration = configuration;
    this.closing = this.closed.signal;
    // Every caller that waits adds a listener.
    setMaxListeners(0, this.closing);
  }

  /** The first lane. It has what belongs to no job: the plan, the secret, sessions. */
  get home(): Lane {
    return this.lane(0);
  }

  /** All lanes, by the plan that was read last. */
  get lanes(): Lane[] {
    return this.upTo(this.plan.count);
  }

  private upTo(count: number): Lane[] {
    return Array.from({ length: count }, (_, number) => this.lane(number));
  }

  private lane(number: number): Lane {
    const { link, prefix, configuration, closing, tellOthers } = this;
    this.opened[number] ??= new Lane({ link, number, prefix, configuration, closing, tellOthers });
    return this.opened[number];
  }

  /** A lane that is not told meets the same refusal by itself. */
  private readonly tellOthers = (from: Lane, news: HoldNews): void => {
    for (const lane of this.lanes) if (lane !== from) lane.run('copy_holds', news).catch(() => {});
  };

  /** Checks once that the store is suitable and how many lanes it has. Throws `configuration`, and what a lane's `ready` throws. */
  async ready(): Promise<void> {
    this.agreed ??= this.agree().catch((error: unknown) => {
      this.agreed = undefined;
      throw error;
    });
    await this.agreed;
  }

  private async agree(): Promise<void> {
    this.keepPlan(await agreeOnPlan(this.home, this.configuration.lanes, upTo => this.upTo(upTo)));
  }

  private keepPlan(plan: LanePlan): void {
    this.plan = plan;
    this.plannedAt = performance.now();
  }

  /**
   * The plan, which another process may have changed meanwhile. While the first lane is away, the plan that is known has to do:
   * the other lanes go on, and their fences refuse what was placed by an old one.
   */
  async currentPlan(): Promise<LanePlan> {
    await this.ready();
    const age = performance.now() - this.plannedAt;
    if (age <= PLAN_AGAIN_MS) return this.plan;
    // Others go by the known plan meanwhile.
    this.plannedAt = performance.now();
    const learned = this.learnPlan().catch(() => this.plan);
    return age <= PLAN_MS ? this.plan : await learned;
  }

  /** Reads the plan anew. */
  async learnPlan(): Promise<LanePlan> {
    this.keepPlan(await readPlan(this.home));
    return this.plan;
  }

  /** All lanes, by the current plan. */
  async allLanes(): Promise<Lane[]> {
    await this.currentPlan();
    return this.lanes;
  }

  /**
   * The places of new jobs in the lists of several lanes, as sequences: later than all that this process has asked for, so that
   * its jobs stand in its order, though what it knows of Redis' clock varies by some milliseconds. Returns the first of them.
   */
  takePlaces(count: number): number {
    const first = Math.max(this.lastPlace + 1, Math.floor(this.home.now()) * SEQUENCES_IN_A_MS);
    this.lastPlace = first + count - 1;
    return first;
  }

  /** The id of a new job. Any lane may have it, so it is in one that answers. */
  newId(plan: LanePlan): string {
    if (plan.count === 1) return newJobId(plan, 0);
    const lanes = this.lanes.slice(0, plan.count);
    const present = lanes.filter(lane => !lane.isAway);
    const candidates = present.length > 0 ? present : lanes;
    const lane = candidates[Math.floor(Math.random() * candidates.length)] ?? this.home;
    return newJobId(plan, lane.number);
  }

  /** The lane in which a job of this id is made. */
  async laneToMake(id: string): Promise<Lane> {
    return this.lane((await this.currentPlan()).laneOf(id));
  }

  /** The lanes in which a job of this id may be, the likeliest first. */
  async candidateLanes(id: string): Promise<Lane[]> {
    const known = await this.currentPlan();
    // The id names a lane that this process has not heard of.
    const plan = known.isBehind(id) ? await this.learnPlan() : known;
    return plan.candidatesOf(id).map(number => this.lane(number));
  }

  /** The lane of each id, as `laneOf` finds it. Thousands of ids cost hardly more than one. */
  async lanesOf(ids: string[]): Promise<Lane[]> {
    const plan = await this.currentPlan();
    const isEasy = ids.every(id => !plan.isBehind(id) && plan.candidatesOf(id).length === 1);
    if (isEasy) return ids.map(id => this.lane(plan.laneOf(id)));
    return await Promise.all(ids.map(id => this.laneOf(id)));
  }

  /** The lane that has a job of this id, or one that a caller chose it for. If none has, the lane in which it would be made. */
  async laneOf(id: string): Promise<Lane> {
    const lanes = await this.candidateLanes(id);
    const [likeliest] = lanes as [Lane];
    if (lanes.length === 1) return likeliest;
    const known = await Promise.all(lanes.map(lane => lane.knows(id)));
    return lanes[known.indexOf(true)] ?? likeliest;
  }

  /** Raises the number of lanes. See `raiseLanes`. */
  async raiseLanes(count: number): Promise<LanePlan> {
    await this.ready();
    this.keepPlan(await raiseLanes(this.home, count, upTo => this.upTo(upTo)));
    return this.plan;
  }

  /** Opens the fences that a raise which died has left closed. */
  async openFences(): Promise<void> {
    await openFences(this.home, upTo => this.upTo(upTo));
    await this.learnPlan();
  }

  /** Sends commands to the first lane, which has what belongs to no job. */
  async ask<Answer>(call: (client: RedisClient) => Promise<Answer>): Promise<Answer> {
    return await this.home.ask(call);
  }

  /** Hands the connection to a library that talks to Redis itself. */
  lend<Result>(use: (client: RedisClient) => Result): Result {
    return use(this.link.client);
  }

  /** False while one of the lanes is away. */
  get isConnected(): boolean {
    return this.lanes.every(lane => lane.isConnected);
  }

  /** Cuts the connections without waiting for anything on them. */
  disconnect(): void {
    this.link.disconnect();
  }

  /** Runs a transition in the lane of its job. `body` is what Lua stores without reading it. */
  async run<Name extends JobScript>(
    name: Name,
    given: ArgumentsOf<Name> & { id: string },
    body = '',
  ): Promise<ReplyOf<Name>> {
    return await (await this.laneOf(given.id)).run(name, given, body);
  }

  async record(id: string): Promise<JobRecord | null> {
    return await (await this.laneOf(id)).record(id);
  }

  async job(id: string): Promise<Job | null> {
    return await (await this.laneOf(id)).job(id);
  }

  /** The row of a response. The provider made its id, so every lane is asked. */
  async row(responseId: string): Promise<LedgerRow | null> {
    const rows = await Promise.all((await this.allLanes()).map(lane => lane.row(responseId)));
    return rows.find(row => row !== null) ?? null;
  }

  async list(filter: ListFilter): Promise<JobSummary[]> {
    return await listJobs(await this.allLanes(), await this.candidateLanes(filter.after ?? ''), filter);
  }

  /** A page of jobs for people. */
  async view(query: ViewQuery): Promise<JobsView> {
    return await viewJobs(await this.allLanes(), await this.candidateLanes(query.after ?? ''), query);
  }

  /** A page of the ledger's rows for people. */
  async viewRows(query: WasteRowsQuery): Promise<WasteRows> {
    return await viewRows(await this.allLanes(), query);
  }

  async rows(query: LedgerQuery): Promise<LedgerRow[]> {
    return await listRows(await this.allLanes(), query);
  }

  async waste(query: WasteQuery): Promise<WasteReport> {
    const lanes = await this.allLanes();
    return await readWaste(lanes, daysOf(query, this.home.now()), query);
  }

  /** The same by several dimensions, of which the sums are read once. */
  async wasteBy<const Dimensions extends readonly WasteDimension[]>(
    dimensions: Dimensions,
    period: Omit<WasteQuery, 'groupBy'>,
  ) {
    return await readReports(await this.allLanes(), daysOf(period, this.home.now()), period.tenant, dimensions);
  }

  async close(): Promise<void> {
    this.closed.abort(
      new HeadstoneError('store_unreachable', 'The connection was closed while a caller waited. The job goes on.'),
    );
    await Promise.all(this.opened.map(lane => lane.close()));
    this.link.close();
  }
}
