import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Depths } from '../shared/contract/depths.ts';
import { HeadstoneError, parseInput } from '../shared/contract/errors.ts';
import { type Finished, type Job, type JobSummary, type ListFilter, listFilterSchema } from '../shared/contract/job.ts';
import {
  type LedgerQuery,
  type LedgerRow,
  ledgerQuerySchema,
  type WasteQuery,
  type WasteReport,
  wasteQuerySchema,
} from '../shared/contract/ledger.ts';
import {
  type AdoptOptions,
  type CancelOptions,
  cancelOptionsSchema,
  type EnqueueOptions,
} from '../shared/contract/request.ts';
import { type StreamEvent, type SubscribeOptions, subscribeOptionsSchema } from '../shared/contract/stream.ts';
import { type JobStatus, jobIdSchema, type Verdict } from '../shared/contract/words.ts';
import type { Configuration } from '../shared/runtime/settings.ts';
import type { Telemetry } from '../shared/runtime/telemetry.ts';
import { readDepths } from '../shared/store/depths.ts';
import { type Located, locate, type Seeker } from '../shared/store/locate.ts';
import type { ReplyOf } from '../shared/store/scripts.ts';
import type { Store } from '../shared/store/store.ts';
import { acceptance, type NewJob } from './acceptance.ts';
import { adoptResponse } from './adopt.ts';
import { Cancellations } from './cancellations.ts';
import { upstreamPredecessor } from './chain.ts';
import { checkId } from './check-id.ts';
import { idConflict, notAccepted, taken } from './enqueue-errors.ts';
import { assertReferences } from './item-references.ts';
import { responseText } from './response-text.ts';
import { storedRequest } from './stored-request.ts';
import { subscribe } from './subscribe.ts';
import { type WaitOptions, waitForOutcome } from './wait.ts';

const LARGE_BODY = 100_000;

export interface ProducerParts {
  store: Store;
  configuration: Configuration;
  telemetry: Telemetry;
}

export interface EnqueuedJob {
  id: string;
  /** `queued`; a repeated enqueue of the same request gives what has become of it. */
  status: JobStatus;
}

/** One place in the answer of `enqueueMany`: the job, or why this one was refused. The others are not affected. */
export type EnqueueResult = (EnqueuedJob & { error: null }) | { id: string; status: null; error: HeadstoneError };

/** For app code: asks for work, cancels it, reads what became of it. Any number, in any process. */
export class Producer {
  /** These three are for Headstone's own server and fetch. Apps have the methods below. */
  readonly store: Store;
  readonly configuration: Configuration;
  readonly telemetry: Telemetry;
  /** Many jobs under one cancel. */
  readonly cancellations: Cancellations;

  constructor({ store, configuration, telemetry }: ProducerParts) {
    this.cancellations = new Cancellations(store, telemetry);
    this.store = store;
    this.configuration = configuration;
    this.telemetry = telemetry;
  }

  /** The three BullMQ queues, for a board of your own. Look, but add nothing: the record is the truth. */
  get queues() {
    return this.store.queues.all;
  }

  /** Rejects when the store does not answer, is too old or may evict. Every other call does this by itself. */
  async ready(): Promise<void> {
    await this.store.ready();
  }

  /**
   * Accepts a request: once this resolves, the job ends in an outcome (I5). The same id with the same request is the
   * same job; with another one: `id_conflict`.
   */
  async enqueue(request: unknown, options: EnqueueOptions = {}): Promise<EnqueuedJob> {
    const [result] = await this.enqueueMany([{ request, options }]);
    if (!result) throw new Error('One request gives one result.');
    if (result.error) throw result.error;
    return { id: result.id, status: result.status };
  }

  /**
   * The same for many, in a few round trips. Throws before anything is written when a request is invalid; a conflict of
   * ids stands in its own place of the answer.
   */
  async enqueueMany(jobs: NewJob[]): Promise<EnqueueResult[]> {
    const calls = jobs.map((job, position) => acceptance(job, this.configuration, jobs.length > 1 ? position : null));
    // A large request was long to check: whoever shares this process comes first.
    if (calls.some(({ body }) => body.length > LARGE_BODY)) await nextTurn();
    const checked = [];
    for (const { given, request, body, sharesAccount } of calls) {
      const { tenant } = given;
      await assertReferences(this.store, tenant, request.input, sharesAccount);
      const previous = request.previous_response_id;
      const predecessor = previous ? await upstreamPredecessor(this.store, tenant, previous, sharesAccount) : undefined;
      checked.push({ given: { ...given, ...(predecessor === undefined ? {} : { predecessor }) }, body });
    }
    const replies = await this.store.runMany('accept', checked);
    const accepted = replies.flatMap(reply => (!(reply instanceof Error) && reply.reply === 'accepted' ? [reply] : []));
    const fresh = accepted.filter(reply => !reply.has_leftover).flatMap(reply => reply.work);
    try {
      await this.store.queues.addFresh(fresh, this.store.now());
      await this.store.outbox.clear(fresh);
      await this.store.outbox.follow(accepted.filter(reply => reply.has_leftover).flatMap(reply => reply.work));
    } catch {
      // Accepted is accepted: the entries stand in the outbox, and a worker's sweeper adds them (I5).
    }
    return replies.map((reply, position) => this.enqueued(calls[position]?.given.id ?? '', reply));
  }

  private enqueued(id: string, reply: ReplyOf<'accept'> | Error): EnqueueResult {
    if (reply instanceof HeadstoneError) return { id, status: null, error: reply };
    if (reply instanceof Error) return { id, status: null, error: notAccepted(id, reply) };
    switch (reply.reply) {
      case 'accepted':
        this.telemetry.emit('job_accepted', { job_id: id });
        return { id, status: reply.status, error: null };
      case 'same':
        return { id: reply.id, status: reply.status, error: null };
      case 'conflict':
        return { id, status: null, error: idConflict(id) };
      case 'taken':
        return { id, status: null, error: taken(id) };
    }
  }

  /**
   * Guards a background response that the app's own code has created: from here on it is a job like any other, and a
   * cancel of it holds. It only writes this down; a worker looks. Twice is harmless. Throws `id_conflict`, `id_taken`.
   */
  async adopt(responseId: string, options: AdoptOptions = {}): Promise<EnqueuedJob> {
    const adopted = await adoptResponse(this.store, this.configuration, responseId, options);
    this.telemetry.emit('job_adopted', { job_id: adopted.id, response_id: responseId });
    return adopted;
  }

  /**
   * Decides the job as cancelled, unless it has ended (I1, I2). When the verdict is `cancelled` or `already_cancelled`,
   * nobody sees a result of it any more, whatever the provider does. Throws `not_durable` where too few replicas hold it
   * (HEADSTONE_WAIT_REPLICAS): it is decided all the same, and asking again asks again.
   */
  async cancel(id: string, options: CancelOptions = {}): Promise<{ verdict: Verdict }> {
    checkId(id);
    const { reason, actor, keyName } = parseInput(cancelOptionsSchema, options);
    const reply = await this.store.run('decide', {
      id,
      status: 'cancelled',
      cause: 'cancelled',
      ...(reason === undefined ? {} : { reason }),
      ...(actor === undefined ? {} : { actor }),
      ...(keyName === undefined ? {} : { key_name: keyName }),
    });
    if (reply.reply === 'missing') {
      const known = await this.idOf(id);
      if (known !== id) return await this.cancel(known, options);
    }
    if (reply.reply === 'already') await this.store.untilDurable({ id, status: reply.status });
    if (reply.reply === 'decided') {
      await this.store.untilDurable({ id, status: 'cancelled' });
      this.telemetry.emit('job_decided', { job_id: id, model: reply.model, outcome: 'cancelled' });
      await this.store.outbox.followQuietly(reply.work);
    }
    const verdict: Verdict =
      reply.reply === 'decided' ? 'cancelled' : reply.reply === 'already' ? `already_${reply.status}` : 'not_found';
    this.telemetry.emit('job_cancel_asked', { job_id: id, verdict });
    return { verdict };
  }

  /** The whole record, or null where there is none. Throws `not_durable` for a result that too few replicas hold. */
  async get(id: string): Promise<Job | null> {
    const job = await this.store.job(checkId(id));
    if (job) return job;
    const known = await this.idOf(id);
    return known === id ? null : await this.store.job(known);
  }

  /** Forgets the result of a job that has ended; its record, tombstone and ledger stay. */
  async deleteResult(id: string): Promise<{ verdict: 'deleted' | 'still_open' | 'not_found' }> {
    const { reply } = await this.store.run('erase', { id: await this.idOf(id) });
    return { verdict: reply };
  }

  /** The job as a Response of OpenAI's API in JSON, with the app's and the provider's own words to the letter. */
  async responseText(job: Job): Promise<string> {
    const [request, result] = await Promise.all([this.store.request(job.id), this.store.result(job.id)]);
    return responseText(job, request, result);
  }

  /** A reader asks for more than the create did: the provider is asked for it at each look to come. */
  async widenInclude(id: string, include: string[]): Promise<void> {
    await this.store.run('widen_include', { id, include });
  }

  /** What was asked for, without what we add to it; empty when it is no longer kept. */
  async request(id: string): Promise<Record<string, unknown>> {
    return (await storedRequest(this.store, await this.idOf(id))) ?? {};
  }

  /** The same, for readers who cannot do without it. Throws `result_expired`. */
  async keptRequest(id: string): Promise<Record<string, unknown>> {
    const request = await storedRequest(this.store, await this.idOf(id));
    if (!request)
      throw new HeadstoneError(
        'result_expired',
        `The request of job ${id} is not here: it was adopted, or it ended long ago.`,
      );
    return request;
  }

  /** The provider's id to chain to. Throws where the id is of a job that is no result of this tenant (I1, I12). */
  async predecessor(tenant: string, id: string, sharesAccount = false): Promise<string> {
    return await upstreamPredecessor(this.store, tenant, id, sharesAccount);
  }

  /** Throws where an input names items that are not of this tenant's own results (I1, I12). */
  async assertReferences(tenant: string, input: unknown, sharesAccount = false): Promise<void> {
    await assertReferences(this.store, tenant, input, sharesAccount);
  }

  /**
   * Finds a job by the id that its caller knows it by: its own, or one that was chosen over HTTP, where each tenant has
   * ids to itself. Null where there is none that the seeker may see.
   */
  async locate(id: string, seeker: Seeker): Promise<Located | null> {
    return jobIdSchema.safeParse(id).success ? await locate(this.store, id, seeker) : null;
  }

  /** Resolves with the outcome, at once where there is one. Throws `wait_timeout`, `job_not_found`, `result_expired`, `not_durable`. */
  async wait(id: string, options: WaitOptions = {}): Promise<Finished> {
    return await waitForOutcome(this.store, await this.idOf(id), options);
  }

  /**
   * The events of a job, from its beginning or after a sequence number, as they come; the last one says how it ended.
   * A job that was not enqueued with `stream: true` gives its result's events at its end. Throws `job_not_found`, `result_expired`.
   */
  async *subscribe(id: string, options: SubscribeOptions = {}): AsyncGenerator<StreamEvent, void> {
    const checked = parseInput(subscribeOptionsSchema, options);
    const known = await this.idOf(id);
    yield* subscribe(this.store, known, await this.request(known), checked);
  }

  /** The app is trusted with every tenant's jobs, also by an id that one of them chose over HTTP. */
  private async idOf(id: string): Promise<string> {
    return (await locate(this.store, checkId(id), { tenant: null, seesAll: true }))?.id ?? id;
  }

  /** True where every job on record is of this tenant, so that nothing can be somebody else's. */
  async ownsEverything(tenant: string): Promise<boolean> {
    await this.store.ready();
    const { client, keys } = this.store;
    const [own, all] = await this.store.guard(() =>
      Promise.all([client.zcard(keys.tenant(tenant)), client.zcard(keys.jobs())]),
    );
    return own === all;
  }

  /** The newest first, 50 where no limit is given. */
  async list(filter: ListFilter = {}): Promise<JobSummary[]> {
    return await this.store.list(parseInput(listFilterSchema, filter));
  }

  /** Wasted beside used tokens and cost, summed under one dimension. */
  async waste(query: WasteQuery = {}): Promise<WasteReport> {
    return await this.store.waste(parseInput(wasteQuerySchema, query));
  }

  /** The rows opened in the time given, the oldest first; all of them where no limit is given. */
  async ledger(query: LedgerQuery = {}): Promise<LedgerRow[]> {
    return await this.store.rows(parseInput(ledgerQuerySchema, query));
  }

  /** The switch for spending: nothing new is launched while it is on; looks, watches and cancels go on. */
  async pauseLaunch(isPaused: boolean): Promise<void> {
    await this.store.ready();
    const { launch } = this.store.queues;
    await this.store.guard(() => (isPaused ? launch.pause() : launch.resume()));
  }

  /** How much waits where, and whether launching is paused. */
  async depths(): Promise<Depths> {
    return await readDepths(this.store);
  }

  async close(): Promise<void> {
    await this.store.close();
  }
}
