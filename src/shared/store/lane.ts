import { setImmediate as nextTurn } from 'node:timers/promises';
import slotOf from 'cluster-key-slot';
import type { Job } from '../contract/job.ts';
import type { LedgerRow } from '../contract/ledger.ts';
import { isResult, type JobStatus, jobStatusSchema } from '../contract/words.ts';
import type { Configuration } from '../runtime/settings.ts';
import { Channel } from './connection/channel.ts';
import type { RedisClient } from './connection/client.ts';
import { type Claim, Replicas } from './connection/replicas.ts';
import { isWrongServer, refusalOf } from './connection/store-errors.ts';
import { type DecidedMessage, parseDecided } from './decisions.ts';
import { Keys } from './keys.ts';
import { lanePrefix } from './lanes/prefix.ts';
import { Presence } from './lanes/presence.ts';
import type { Link } from './link.ts';
import type { HoldNews } from './lua/copy-holds.ts';
import type { ScriptSettings } from './lua/shapes.ts';
import { Outbox } from './outbox.ts';
import { Queues } from './queues.ts';
import {
  type JobRecord,
  jobOf,
  parseRecord,
  parseRow,
  parseWatchedRow,
  responseIdsOf,
  type WatchedRow,
} from './record.ts';
import { argumentsText } from './script-arguments.ts';
import { type ArgumentsOf, type ReplyOf, type ScriptAnswer, type ScriptName, scripts } from './scripts.ts';

const PROBE_KEPT_MS = 60_000;
/** How many calls of one script are written before Redis gets them. */
const PORTION = 100;

export interface LaneOptions {
  link: Link;
  /** The number of the lane; 0 is the first one, which a deployment always has. */
  number: number;
  /** The deployment's prefix. */
  prefix: string;
  configuration: Configuration;
  /** Aborted when the store is closed, so that nobody waits on it any longer. */
  closing: AbortSignal;
  /** Tells the other lanes what a script of this one did to holds. */
  tellOthers(lane: Lane, news: HoldNews): void;
}

/**
 * One door to everything that a lane keeps: records, their scripts and the queues, under one hash tag. A deployment has one lane
 * unless it is told otherwise.
 */
export class Lane {
  readonly number: number;
  readonly keys: Keys;
  readonly queues: Queues;
  /** Publishes each outcome. */
  readonly decisions: Channel<DecidedMessage>;
  /** Publishes the id of each job whose stream has new events. */
  readonly streamed: Channel<string>;
  /** Adds the queue entries that scripts asked for. */
  readonly outbox: Outbox;
  readonly closing: AbortSignal;
  private readonly link: Link;
  private readonly tellOthers: LaneOptions['tellOthers'];
  /** `ScriptSettings`, as `NAME=VALUE` with spaces between. */
  private readonly settings: string;
  private readonly replicas: Replicas;
  private checked: Promise<void> | undefined;
  private isChecked = false;
  private clockOffsetMs = 0;
  private readonly presence = new Presence(() => this.ask(client => client.exists(this.keys.never())));

  constructor({ link, number, prefix, configuration, closing, tellOthers }: LaneOptions) {
    this.link = link;
    this.tellOthers = tellOthers;
    this.closing = closing;
    this.number = number;
    this.keys = new Keys(lanePrefix(prefix, number));
    this.queues = new Queues(link, this.keys.prefix, this);
    this.outbox = new Outbox(this);
    this.decisions = new Channel(link.subscriptions, this.keys.decided(), parseDecided);
    this.streamed = new Channel(link.subscriptions, this.keys.streamed(), id => id);
    const settings: ScriptSettings = {
      result_ms: String(configuration.resultTtlMs),
      record_ms: String(configuration.recordTtlMs),
      ledger_ms: String(configuration.ledgerTtlMs),
      sums_ms: String(configuration.sumsTtlMs),
      publish: link.publish,
    };
    this.settings = Object.entries(settings)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ');
    this.replicas = new Replicas(link.client, configuration.waitReplicas, this.keys.durable());
  }

  /** The slot of its keys in a Redis Cluster. */
  get slot(): number {
    return slotOf(this.keys.prefix);
  }

  /** The address of the node that has its keys now. */
  get node(): string {
    return this.link.nodeOf(this.keys.prefix);
  }

  /** Checks once that the store answers and is suitable. After a failure the next caller checks again. */
  async ready(): Promise<void> {
    this.checked ??= this.link
      .ready()
      // A full store refuses the write of `describe`, and has it from an earlier start.
      .then(() => Promise.all([this.readClock(), this.queues.describe().catch(() => {})]))
      .then(() => {
        this.isChecked = true;
      })
      .catch((error: unknown) => {
        this.checked = undefined;
        throw error;
      });
    await this.checked;
  }

  /** Sends commands to a store that was checked. A lost connection becomes an error with a sentence. */
  ask<Answer>(call: (client: RedisClient) => Promise<Answer>): Promise<Answer> {
    const send = () => this.link.ask(this.keys.prefix, call);
    return this.presence.during(this.isChecked ? send() : this.ready().then(send));
  }

  /** False while the connection to its node is away. */
  get isConnected(): boolean {
    return this.link.isConnectedTo(this.keys.prefix);
  }

  /** True if it is not connected, or did not answer when it was last asked. New jobs go elsewhere meanwhile. */
  get isAway(): boolean {
    return !this.isConnected || !this.presence.isAnswering;
  }

  /**
   * Finds out by a write whether the store takes writes, because a replica and a full disk answer reads as usual. `full`: new
   * jobs are refused, but cancels, ids and usages are still written. Throws if the store takes no write at all.
   */
  async probe(): Promise<'ok' | 'full'> {
    try {
      await this.ask(client => client.set(this.keys.probe(), String(this.now()), 'PX', PROBE_KEPT_MS));
      return 'ok';
    } catch (error) {
      if (refusalOf(error) === 'OOM') return 'full';
      throw error;
    }
  }

  /** Hands the connection to a library that talks to Redis itself. */
  lend<Result>(use: (client: RedisClient) => Result): Result {
    return use(this.link.client);
  }

  async readClock(): Promise<void> {
    this.clockOffsetMs = (await this.link.timeMs(this.keys.prefix)) - Date.now();
  }

  /** Redis' clock, as far as this process knows it. It is good for delays; what must be right asks in a script (I15). */
  now(): number {
    return Date.now() + this.clockOffsetMs;
  }

  /** Runs one transition. `body` is what Lua stores without reading it. */
  async run<Name extends ScriptName>(name: Name, given: ArgumentsOf<Name>, body = ''): Promise<ReplyOf<Name>> {
    return this.readReply(name, await this.ask(() => this.send(name, given, body)));
  }

  /** Runs the same transition for many jobs in few round trips. One that fails does not stop the others. */
  async runMany<Name extends ScriptName>(
    name: Name,
    calls: { given: ArgumentsOf<Name>; body?: string }[],
  ): Promise<(ReplyOf<Name> | Error)[]> {
    const [only] = calls;
    // A list of one is as quick as a single call, and whatever fails is its answer.
    if (only && calls.length === 1) {
      if (!this.isChecked) await this.ready();
      return [await this.run(name, only.given, only.body).catch((error: Error) => error)];
    }
    const answers = await this.ask(async () => {
      const heard = await Promise.allSettled(await this.sendAll(name, calls));
      // A server that has been replaced refuses all of them and has done none.
      const [first] = heard;
      if (first?.status === 'rejected' && heard.every(one => one.status === 'rejected' && isWrongServer(one.reason)))
        throw first.reason;
      return heard;
    });
    return answers.map(answer => {
      if (answer.status === 'fulfilled') return this.readReply(name, answer.value);
      const told = this.link.told(this.keys.prefix, answer.reason);
      this.presence.failed(told);
      return told;
    });
  }

  /** Each reply carries Redis' time, so that a jump of this machine's clock is corrected by the next one (I15). */
  private readReply<Name extends ScriptName>(name: Name, answer: ScriptAnswer): ReplyOf<Name> {
    const [json, text] = typeof answer === 'string' ? [answer] : answer;
    const reply = { ...(JSON.parse(json) as { now: number; spread?: HoldNews }), text };
    this.clockOffsetMs = reply.now - Date.now();
    if (reply.spread) this.tellOthers(this, reply.spread);
    return scripts[name].reply.parse(reply) as ReplyOf<Name>;
  }

  /** Sends calls a portion at a time, so that Redis begins with the first while the others are written. */
  private async sendAll(name: ScriptName, calls: { given: object; body?: string }[]): Promise<Promise<ScriptAnswer>[]> {
    const sent: Promise<ScriptAnswer>[] = [];
    for (const [position, { given, body = '' }] of calls.entries()) {
      if (position > 0 && position % PORTION === 0) await nextTurn();
      const answer = this.send(name, given, body);
      // Its failure is read with those of the others.
      answer.catch(() => {});
      sent.push(answer);
    }
    return sent;
  }

  private send(name: ScriptName, given: object, body: string): Promise<ScriptAnswer> {
    const { prefix } = this.keys;
    const { isLong } = scripts[name];
    const script = { name, prefix, never: this.keys.never(), settings: this.settings, isLong };
    return this.link.calls.send(script, argumentsText({ ...given, local_time: String(Date.now()) }), body);
  }

  /** Waits until enough replicas hold these jobs as they were written or read. Throws `not_durable` if too few do. */
  async untilDurable(...jobs: Pick<JobRecord, 'id' | 'status'>[]): Promise<void> {
    await this.confirm(jobs.map(({ id, status }) => ({ place: this.keys.job(id), status })));
  }

  /** Does the same for a bulk cancel that has ended. What it cancelled was written before its end. */
  async untilCancellationDurable(id: string, status: string): Promise<void> {
    await this.confirm([{ place: this.keys.cancellation(id), status }]);
  }

  private async confirm(claims: Claim[]): Promise<void> {
    await this.ask(() => this.replicas.confirm(claims));
  }

  async record(id: string): Promise<JobRecord | null> {
    return parseRecord(id, await this.ask(client => client.hgetall(this.keys.job(id))));
  }

  /** True if it has a job of this id, or one that a caller chose this id for. */
  async knows(id: string): Promise<boolean> {
    return (await this.ask(client => client.exists(this.keys.job(id), this.keys.chosen(id)))) > 0;
  }

  async status(id: string): Promise<JobStatus | null> {
    const status = await this.ask(client => client.hget(this.keys.job(id), 'status'));
    return status === null ? null : jobStatusSchema.parse(status);
  }

  /** When a follower of the job's stream last gave a sign of life; null if it has none. */
  async streamHeardAt(id: string): Promise<number | null> {
    const score = await this.ask(client => client.zscore(this.keys.streams(), id));
    return score === null ? null : Number(score);
  }

  async request(id: string): Promise<string | null> {
    return await this.ask(client => client.get(this.keys.request(id)));
  }

  /** The provider's body, unchanged. */
  async result(id: string): Promise<string | null> {
    return await this.ask(client => client.get(this.keys.result(id)));
  }

  async job(id: string): Promise<Job | null> {
    const record = await this.record(id);
    if (!record) return null;
    // A result that a failover could still take back is not shown.
    if (isResult(record.status)) await this.untilDurable(record);
    const [timeline, result, rows] = await this.ask(client =>
      Promise.all([
        client.lrange(this.keys.timeline(id), 0, -1),
        client.get(this.keys.result(id)),
        Promise.all(responseIdsOf(record).map(responseId => this.row(responseId))),
      ]),
    );
    // A launch that was answered with another job's response shows nothing of that response (I12).
    return jobOf({ record, timeline, result, rows: rows.filter(row => row?.job_id === id) as LedgerRow[] });
  }

  async row(responseId: string): Promise<LedgerRow | null> {
    return parseRow(await this.ask(client => client.hgetall(this.keys.row(responseId))));
  }

  async watchedRow(responseId: string): Promise<WatchedRow | null> {
    return parseWatchedRow(await this.ask(client => client.hgetall(this.keys.row(responseId))));
  }

  async close(): Promise<void> {
    await this.queues.close();
    this.replicas.close();
  }
}
