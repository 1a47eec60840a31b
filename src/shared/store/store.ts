import { setMaxListeners } from 'node:events';
import { HeadstoneError } from '../contract/errors.ts';
import type { Job, JobSummary, ListFilter } from '../contract/job.ts';
import type { LedgerQuery, LedgerRow, WasteQuery, WasteReport } from '../contract/ledger.ts';
import { isResult, type JobStatus, jobStatusSchema } from '../contract/words.ts';
import { prefixSchema } from '../runtime/setting-formats.ts';
import type { Configuration } from '../runtime/settings.ts';
import type { Telemetry } from '../runtime/telemetry.ts';
import { Channel } from './connection/channel.ts';
import type { RedisClient } from './connection/client.ts';
import { type Connection, openRedis, type Patience } from './connection/redis.ts';
import { type Claim, Replicas } from './connection/replicas.ts';
import { isWrongServer, refusalOf, told } from './connection/store-errors.ts';
import { assertSuitable, untilReady } from './connection/suitable.ts';
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
import { argumentsText } from './script-arguments.ts';
import {
  type ArgumentsOf,
  commandName,
  type ReplyOf,
  type RunCommand,
  type ScriptAnswer,
  type ScriptName,
  scripts,
} from './scripts.ts';
import { daysOf, readWaste } from './waste.ts';

const PROBE_KEPT_MS = 60_000;

export interface StoreOptions {
  connection: Connection;
  prefix: string;
  patience: Patience;
  configuration: Configuration;
  telemetry: Telemetry;
}

/** The one door to everything that Headstone keeps: the record, its scripts and the queues. */
export class Store {
  readonly keys: Keys;
  readonly queues: Queues;
  /** Publishes each outcome. */
  readonly decisions: Channel<DecidedMessage>;
  /** Publishes the id of each job whose stream has new events. */
  readonly streamed: Channel<string>;
  /** Adds the queue entries that scripts asked for. */
  readonly outbox: Outbox;
  /** Aborted when the store is closed, so that nobody waits on it any longer. */
  readonly closing: AbortSignal;
  private readonly client: RedisClient;
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
    // Every caller that waits adds a listener.
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

  /** Checks once that the store answers, is new enough and evicts nothing. After a failure the next caller checks again. */
  async ready(): Promise<void> {
    this.checked ??= assertSuitable(this.client)
      .then(() => this.readClock())
      // A full store refuses this write, and has it from an earlier start.
      .then(() => this.queues.describe().catch(() => {}))
      .catch((error: unknown) => {
        this.checked = undefined;
        throw error;
      });
    await this.checked;
  }

  /** Sends commands to a store that was checked. A lost connection becomes an error with a sentence. */
  async ask<Answer>(call: (client: RedisClient) => Promise<Answer>): Promise<Answer> {
    await this.ready();
    try {
      return await call(this.client);
    } catch (error) {
      // An inner call has already tried again.
      if (error instanceof HeadstoneError || !isWrongServer(error)) throw told(this.client, error);
    }
    // That server did nothing, and the client is reconnecting to the one that took over: try once more.
    try {
      await untilReady(this.client);
      return await call(this.client);
    } catch (error) {
      throw told(this.client, error);
    }
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
    return use(this.client);
  }

  /** False while the connection is away. */
  get isConnected(): boolean {
    return this.client.status === 'ready';
  }

  /** Cuts the connection without waiting for anything on it. */
  disconnect(): void {
    this.client.disconnect();
  }

  async readClock(): Promise<void> {
    const [seconds, micros] = (await this.client.time()) as unknown as [string, string];
    this.clockOffsetMs = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000) - Date.now();
  }

  /** Redis' clock, as far as this process knows it. It is good for delays; what must be right asks in a script (I15). */
  now(): number {
    return Date.now() + this.clockOffsetMs;
  }

  /** Runs one transition. `body` is what Lua stores without reading it. */
  async run<Name extends ScriptName>(name: Name, given: ArgumentsOf<Name>, body = ''): Promise<ReplyOf<Name>> {
    const command = (this.client as unknown as Record<string, RunCommand>)[commandName(name)] as RunCommand;
    return this.readReply(name, await this.ask(client => command.call(client, ...this.commandArguments(given, body))));
  }

  /** Runs the same transition for many jobs in one round trip. One that fails does not stop the others. */
  async runMany<Name extends ScriptName>(
    name: Name,
    calls: { given: ArgumentsOf<Name>; body?: string }[],
  ): Promise<(ReplyOf<Name> | Error)[]> {
    const [only] = calls.length === 1 ? calls : [];
    // A pipeline costs as much again as a single call in it.
    if (only) {
      await this.ready();
      return [await this.run(name, only.given, only.body).catch((error: Error) => error)];
    }
    const answers = await this.ask(async client => {
      const pipeline = client.pipeline();
      const commands = pipeline as unknown as Record<string, RunCommand>;
      for (const { given, body } of calls)
        commands[commandName(name)]?.call(pipeline, ...this.commandArguments(given, body ?? ''));
      const heard = (await pipeline.exec()) ?? [];
      // A server that has been replaced refuses all of them and has done none.
      const [[first] = []] = heard;
      if (first && heard.every(([error]) => isWrongServer(error))) throw first;
      return heard;
    });
    return answers.map(([error, answer]) =>
      error ? told(this.client, error) : this.readReply(name, answer as ScriptAnswer),
    );
  }

  /** Each reply carries Redis' time, so that a jump of this machine's clock is corrected by the next one (I15). */
  private readReply<Name extends ScriptName>(name: Name, answer: ScriptAnswer): ReplyOf<Name> {
    const [json, text] = typeof answer === 'string' ? [answer] : answer;
    const reply = { ...(JSON.parse(json) as { now: number }), text };
    this.clockOffsetMs = reply.now - Date.now();
    return scripts[name].reply.parse(reply) as ReplyOf<Name>;
  }

  private commandArguments(given: object, body: string): [string, string, string] {
    return [this.keys.prefix, argumentsText({ ...given, retention: this.retention, local_time: Date.now() }), body];
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

  async list(filter: ListFilter): Promise<JobSummary[]> {
    return await this.ask(client => listJobs(client, this.keys, filter));
  }

  async rows(query: LedgerQuery): Promise<LedgerRow[]> {
    return await this.ask(client => listRows(client, this.keys, query));
  }

  async waste(query: WasteQuery): Promise<WasteReport> {
    return await this.ask(client => readWaste(client, this.keys, daysOf(query, this.now()), query));
  }

  async close(): Promise<void> {
    this.closed.abort(
      new HeadstoneError('store_unreachable', 'The connection was closed while a caller waited. The job goes on.'),
    );
    await Promise.all([this.decisions.close(), this.streamed.close()]);
    await this.queues.close();
    this.replicas.close();
    if (this.owned) this.client.disconnect();
  }
}
