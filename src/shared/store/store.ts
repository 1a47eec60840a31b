import { setMaxListeners } from 'node:events';
import { HeadstoneError } from '../contract/errors.ts';
import type { Job, JobSummary, ListFilter } from '../contract/job.ts';
import type { LedgerQuery, LedgerRow, WasteQuery, WasteReport } from '../contract/ledger.ts';
import { isResult, type JobStatus, jobStatusSchema } from '../contract/words.ts';
import { prefixSchema } from '../runtime/setting-formats.ts';
import type { Configuration } from '../runtime/settings.ts';
import type { Telemetry } from '../runtime/telemetry.ts';
import { Channel } from './channel.ts';
import { type DecidedMessage, parseDecided } from './decisions.ts';
import { Keys } from './keys.ts';
import { listJobs } from './list.ts';
import { listRows } from './list-rows.ts';
import type { Retention } from './lua/shapes.ts';
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
import { type Connection, openRedis, type Patience } from './redis.ts';
import type { RedisClient } from './redis-client.ts';
import { type Claim, Replicas } from './replicas.ts';
import {
  type ArgumentsOf,
  commandName,
  type Given,
  type ReplyOf,
  type RunCommand,
  type ScriptName,
  scripts,
} from './scripts.ts';
import { isWrongServer, refusalOf, told } from './store-errors.ts';
import { assertSuitable, untilReady } from './suitable.ts';
import { daysOf, readWaste } from './waste.ts';

const PROBE_KEPT_MS = 60_000;

export interface StoreOptions {
  connection: Connection;
  prefix: string;
  patience: Patience;
  configuration: Configuration;
  telemetry: Telemetry;
}

/** The record, its scripts and the queues: everything that Headstone keeps, behind one door. */
export class Store {
  readonly client: RedisClient;
  readonly keys: Keys;
  readonly queues: Queues;
  /** Each outcome. */
  readonly decisions: Channel<DecidedMessage>;
  /** Each job that has new events of its stream. */
  readonly streamed: Channel<string>;
  /** The queue entries that scripts asked for. */
  readonly outbox: Outbox;
  /** Aborted when nobody can wait here any more. */
  readonly closing: AbortSignal;
  private readonly closed = new AbortController();
  private readonly owned: boolean;
  private readonly retention: Retention;
  private readonly replicas: Replicas;
  private checked: Promise<void> | undefined;
  private clockOffsetMs = 0;

  constructor({ connection, prefix, patience, configuration, telemetry }: StoreOptions) {
    const { error } = prefixSchema.safeParse(prefix);
    if (error) throw new HeadstoneError('configuration', `prefix ${error.issues[0]?.message}.`, { param: 'prefix' });
    const { client, owned } = openRedis(connection, patience, telemetry);
    this.client = client;
    this.owned = owned;
    this.closing = this.closed.signal;
    // One for each who waits.
    setMaxListeners(0, this.closing);
    this.keys = new Keys(prefix);
    this.queues = new Queues(client, prefix);
    this.outbox = new Outbox(this);
    this.decisions = new Channel(client, this.keys.decided(), parseDecided);
    this.streamed = new Channel(client, this.keys.streamed(), id => id);
    this.retention = {
      result_ms: configuration.resultTtlMs,
      record_ms: configuration.recordTtlMs,
      ledger_ms: configuration.ledgerTtlMs,
      sums_ms: configuration.sumsTtlMs,
    };
    this.replicas = new Replicas(client, configuration.waitReplicas, this.keys.durable());
    for (const script of Object.values(scripts))
      client.defineCommand(commandName(script.name), { lua: script.lua, numberOfKeys: 1 });
  }

  /** Once: the store answers, is new enough and evicts nothing. A failure is tried again by the next caller. */
  async ready(): Promise<void> {
    this.checked ??= assertSuitable(this.client)
      .then(() => this.readClock())
      // A full store takes none of it, and has it from before.
      .then(() => this.queues.describe().catch(() => {}))
      .catch((error: unknown) => {
        this.checked = undefined;
        throw error;
      });
    await this.checked;
  }

  /**
   * Whether the store takes writes now, by writing: a replica and a full disk answer reads as ever. `full`: new jobs are
   * refused, and cancels, ids and usages are still written. Throws where nothing is.
   */
  async probe(): Promise<'ok' | 'full'> {
    await this.ready();
    try {
      await this.guard(() => this.client.set(this.keys.probe(), String(this.now()), 'PX', PROBE_KEPT_MS));
      return 'ok';
    } catch (error) {
      if (error instanceof HeadstoneError && refusalOf(error.cause) === 'OOM') return 'full';
      throw error;
    }
  }

  async readClock(): Promise<void> {
    const [seconds, micros] = (await this.client.time()) as unknown as [string, string];
    this.clockOffsetMs = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000) - Date.now();
  }

  /** Redis' clock, as far as this process knows it. Good for delays; what must be right asks in a script (I15). */
  now(): number {
    return Date.now() + this.clockOffsetMs;
  }

  /** Runs one transition. `body` is what Lua stores without reading it. */
  async run<Name extends ScriptName>(name: Name, given: Given<ArgumentsOf<Name>>, body = ''): Promise<ReplyOf<Name>> {
    await this.ready();
    const command = (this.client as unknown as Record<string, RunCommand>)[commandName(name)] as RunCommand;
    const answer = await this.guard(() => command.call(this.client, ...this.commandArguments(given, body)));
    return this.readReply(name, answer);
  }

  /** The same transition for many, in one round trip. One that fails does not stop the others. */
  async runMany<Name extends ScriptName>(
    name: Name,
    calls: { given: Given<ArgumentsOf<Name>>; body?: string }[],
  ): Promise<(ReplyOf<Name> | Error)[]> {
    await this.ready();
    const answers = await this.guard(async () => {
      const pipeline = this.client.pipeline();
      const commands = pipeline as unknown as Record<string, RunCommand>;
      for (const { given, body } of calls)
        commands[commandName(name)]?.call(pipeline, ...this.commandArguments(given, body ?? ''));
      const heard = (await pipeline.exec()) ?? [];
      // A server that is the wrong one refuses all of them, and has done none.
      const [[first] = []] = heard;
      if (first && heard.every(([error]) => isWrongServer(error))) throw first;
      return heard;
    });
    return answers.map(([error, answer]) => (error ? told(this.client, error) : this.readReply(name, String(answer))));
  }

  /** Each reply says what time it is at Redis, so that a jump of our own clock is over with the next one (I15). */
  private readReply<Name extends ScriptName>(name: Name, answer: string): ReplyOf<Name> {
    const reply = JSON.parse(answer) as { now: number };
    this.clockOffsetMs = reply.now - Date.now();
    return scripts[name].reply.parse(reply) as ReplyOf<Name>;
  }

  private commandArguments(given: object, body: string): [string, string, string] {
    return [this.keys.prefix, JSON.stringify({ ...given, retention: this.retention }, wellFormed), body];
  }

  /** A lost connection becomes an error with a sentence; what the store answers stays as it is. */
  async guard<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    try {
      return await call();
    } catch (error) {
      if (!isWrongServer(error)) throw told(this.client, error);
    }
    // It did nothing there, and the connection is on its way to whoever took over: once more.
    try {
      await untilReady(this.client);
      return await call();
    } catch (error) {
      throw told(this.client, error);
    }
  }

  /** Waits until enough replicas hold these jobs as they were written or read. Throws `not_durable` when too few do. */
  async untilDurable(...jobs: Pick<JobRecord, 'id' | 'status'>[]): Promise<void> {
    await this.confirm(jobs.map(({ id, status }) => ({ place: this.keys.job(id), status })));
  }

  /** The same for a bulk cancel that has come to its end: what it cancelled was written before. */
  async untilCancellationDurable(id: string, status: string): Promise<void> {
    await this.confirm([{ place: this.keys.cancellation(id), status }]);
  }

  private async confirm(claims: Claim[]): Promise<void> {
    await this.guard(() => this.replicas.confirm(claims));
  }

  async record(id: string): Promise<JobRecord | null> {
    await this.ready();
    return parseRecord(await this.guard(() => this.client.hgetall(this.keys.job(id))));
  }

  async status(id: string): Promise<JobStatus | null> {
    await this.ready();
    const status = await this.guard(() => this.client.hget(this.keys.job(id), 'status'));
    return status === null ? null : jobStatusSchema.parse(status);
  }

  async isStream(id: string): Promise<boolean> {
    await this.ready();
    return (await this.guard(() => this.client.hget(this.keys.job(id), 'stream'))) === 'live';
  }

  async request(id: string): Promise<string | null> {
    await this.ready();
    return await this.guard(() => this.client.get(this.keys.request(id)));
  }

  /** As the provider wrote it. */
  async result(id: string): Promise<string | null> {
    await this.ready();
    return await this.guard(() => this.client.get(this.keys.result(id)));
  }

  async job(id: string): Promise<Job | null> {
    const record = await this.record(id);
    if (!record) return null;
    // A result that a failover could still take back is not shown.
    if (isResult(record.status)) await this.untilDurable(record);
    const [timeline, result, rows] = await this.guard(() =>
      Promise.all([
        this.client.lrange(this.keys.timeline(id), 0, -1),
        this.client.get(this.keys.result(id)),
        Promise.all(responseIdsOf(record).map(responseId => this.row(responseId))),
      ]),
    );
    // A launch that was answered with another job's response shows nothing of it (I12).
    return jobOf({ record, timeline, result, rows: rows.filter(row => row?.job_id === id) as LedgerRow[] });
  }

  async row(responseId: string): Promise<LedgerRow | null> {
    await this.ready();
    return parseRow(await this.guard(() => this.client.hgetall(this.keys.row(responseId))));
  }

  async watchedRow(responseId: string): Promise<WatchedRow | null> {
    await this.ready();
    return parseWatchedRow(await this.guard(() => this.client.hgetall(this.keys.row(responseId))));
  }

  async list(filter: ListFilter): Promise<JobSummary[]> {
    await this.ready();
    return await this.guard(() => listJobs(this.client, this.keys, filter));
  }

  async rows(query: LedgerQuery): Promise<LedgerRow[]> {
    await this.ready();
    return await this.guard(() => listRows(this.client, this.keys, query));
  }

  async waste(query: WasteQuery): Promise<WasteReport> {
    await this.ready();
    const days = daysOf(query, this.now());
    return await this.guard(() => readWaste(this.client, this.keys, days, query));
  }

  async close(): Promise<void> {
    this.closed.abort(
      new HeadstoneError('store_unreachable', 'This was closed while somebody waited. The job goes on.'),
    );
    await Promise.all([this.decisions.close(), this.streamed.close()]);
    await this.queues.close();
    this.replicas.close();
    if (this.owned) this.client.disconnect();
  }
}

/** Half of an emoji, cut off by somebody's slice: Redis' JSON parser refuses it, and a cancel must not fail for that. */
function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed() : value;
}
