import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Depths } from '../shared/contract/depths.ts';
import { HeadstoneError, parseInput } from '../shared/contract/errors.ts';
import type { HeldLaunches } from '../shared/contract/holds.ts';
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
import { DEFAULT_TENANT, jobIdSchema, type Verdict } from '../shared/contract/words.ts';
import type { Configuration } from '../shared/runtime/settings.ts';
import type { Telemetry } from '../shared/runtime/telemetry.ts';
import { callbackSecret } from '../shared/store/deployment.ts';
import { readDepths } from '../shared/store/depths.ts';
import { followTraces } from '../shared/store/follow-traces.ts';
import { readHolds, releaseHold } from '../shared/store/holds.ts';
import { isKnown, type Located, locate, ownsEverything, type Seeker } from '../shared/store/locate.ts';
import { pauseLaunch } from '../shared/store/pause.ts';
import type { Store } from '../shared/store/store.ts';
import { acceptAll } from './accept-all.ts';
import { acceptance, type NewJob } from './acceptance.ts';
import { adoptResponse } from './adopt.ts';
import { Attendance } from './attendance.ts';
import { resendCallback } from './callback.ts';
import { cancelJob } from './cancel.ts';
import { Cancellations } from './cancellations.ts';
import { upstreamPredecessor } from './chain.ts';
import { checkId } from './check-id.ts';
import { type EnqueuedJob, type EnqueueResult, resultOf } from './enqueue-result.ts';
import { traced } from './enqueue-traces.ts';
import { Hints } from './hints.ts';
import { assertReferences } from './item-references.ts';
import { responseText } from './response-text.ts';
import { type RetryOptions, repeated } from './retry.ts';
import { storedRequest } from './stored-request.ts';
import { subscribe } from './subscribe.ts';
import { type WaitOptions, waitForOutcome } from './wait.ts';

const LARGE_BODY = 100_000;

export interface ProducerParts {
  store: Store;
  configuration: Configuration;
  telemetry: Telemetry;
}

/** Enqueues jobs, cancels them and reads what became of them. Any number of producers may run in any process. */
export class Producer {
  /** These five are for Headstone's server and fetch. Apps use the methods below. */
  readonly store: Store;
  readonly configuration: Configuration;
  readonly telemetry: Telemetry;
  readonly attendance: Attendance;
  readonly hints: Hints;
  /** Cancels many jobs at once. */
  readonly cancellations: Cancellations;

  constructor({ store, configuration, telemetry }: ProducerParts) {
    this.cancellations = new Cancellations(store, telemetry);
    this.store = store;
    this.configuration = configuration;
    this.telemetry = telemetry;
    followTraces(store, telemetry, configuration.openaiBaseUrl);
    this.hints = new Hints(store);
    this.attendance = new Attendance(store, telemetry, configuration.disconnectGraceMs);
  }

  /** The four BullMQ queues, of each lane, for your own board. Add nothing to them: the record is the truth. */
  get queues() {
    return this.store.lanes.flatMap(lane => lane.queues.all);
  }

  /** Checks the store, as every other method does. Throws `store_unreachable`, `store_refused` or `store_unsuitable`. */
  async ready(): Promise<void> {
    await this.store.ready();
  }

  /**
   * Enqueues a request. Once this resolves, the job ends in an outcome (I5). Enqueueing the same request again under the same
   * id is harmless. Throws `invalid_request`, `id_conflict`, `id_taken`, `store_refused`, `store_unreachable`.
   */
  async enqueue(request: unknown, options: EnqueueOptions = {}): Promise<EnqueuedJob> {
    return await this.enqueueOne({ request, options });
  }

  private async enqueueOne(job: NewJob): Promise<EnqueuedJob> {
    const [result] = await this.enqueueMany([job]);
    if (!result) throw new Error('One request gives one result.');
    if (result.error) throw result.error;
    return { id: result.id, status: result.status };
  }

  /**
   * Enqueues many requests in a few round trips. If one is invalid it throws before anything is written. An id conflict is in
   * the answer of its own job.
   */
  async enqueueMany(jobs: NewJob[]): Promise<EnqueueResult[]> {
    const plan = await this.store.currentPlan();
    const placing = { newId: () => this.store.newId(plan), lanes: plan.count };
    const calls = jobs.map((job, position) =>
      acceptance(job, this.configuration, placing, jobs.length > 1 ? position : null),
    );
    // Checking a large request took long, so others in this process get a turn.
    if (calls.some(({ body }) => body.length > LARGE_BODY)) await nextTurn();
    const checked: Parameters<typeof acceptAll>[1] = [];
    // One lane puts jobs in the order in which they come.
    const first = plan.count > 1 ? this.store.takePlaces(calls.length) : undefined;
    for (const [position, { given, request, body, sharesAccount }] of calls.entries()) {
      const { tenant } = given;
      await assertReferences(this.store, tenant, request.input, sharesAccount);
      const previous = request.previous_response_id;
      const predecessor = previous ? await upstreamPredecessor(this.store, tenant, previous, sharesAccount) : undefined;
      const place = first === undefined ? undefined : first + position;
      checked.push({ given: { ...given, predecessor, place }, body });
    }
    const replies = await traced(checked, () => acceptAll(this.store, checked));
    const results = replies.map((reply, position) => resultOf(calls[position]?.given.id ?? '', reply));
    for (const { isNew, id } of results) if (isNew) this.telemetry.emit('job_accepted', { job_id: id });
    return results.map(({ isNew, ...result }) => result);
  }

  /** Enqueues the request of a job that has ended again, as a new job. Throws `invalid_request` or `result_expired`. */
  async retry(id: string, options: RetryOptions = {}): Promise<EnqueuedJob> {
    return await this.enqueueOne(await repeated(this.store, await this.idOf(id), options));
  }

  /**
   * Adopts a background response that the app's own code created. From now on it is a job like any other, and a cancel of it
   * sticks. Adopting it twice is harmless. Throws `invalid_request`, `id_conflict`, `id_taken`.
   */
  async adopt(responseId: string, options: AdoptOptions = {}): Promise<EnqueuedJob> {
    const adopted = await adoptResponse(this.store, this.configuration, responseId, options);
    this.telemetry.emit('job_adopted', { job_id: adopted.id, response_id: responseId });
    return adopted;
  }

  /**
   * Cancels a job, unless it has ended (I1, I2). After the verdict `cancelled` or `already_cancelled` nobody sees a result of
   * it, whatever the provider does. Throws `not_durable` if fewer replicas hold the cancel than HEADSTONE_WAIT_REPLICAS says:
   * the job is cancelled all the same, and cancelling again asks the replicas again.
   */
  async cancel(id: string, options: CancelOptions = {}): Promise<{ verdict: Verdict }> {
    return {
      verdict: await cancelJob(this.store, this.telemetry, checkId(id), parseInput(cancelOptionsSchema, options)),
    };
  }

  /** The job's whole record; null if there is none. Throws `not_durable` for a result that too few replicas hold. */
  async get(id: string): Promise<Job | null> {
    const job = await this.store.job(checkId(id));
    if (job) return job;
    const known = await locate(this.store, id, { tenant: null, seesAll: true });
    return known && (await this.store.job(known.id));
  }

  /** Deletes the request and the result of a job that has ended. Record, tombstone and ledger stay. */
  async deleteResult(id: string): Promise<{ verdict: 'deleted' | 'still_open' | 'not_found' }> {
    const { reply } = await this.store.run('delete_result', { id: await this.idOf(id) });
    return { verdict: reply };
  }

  /** The job as a Response of OpenAI's API, in JSON, with the app's and the provider's own text unchanged. */
  async responseText(job: Job): Promise<string> {
    const lane = await this.store.laneOf(job.id);
    const [request, result] = await Promise.all([lane.request(job.id), lane.result(job.id)]);
    return responseText(job, request, result);
  }

  /** Sends the message about a job's outcome to its `callbackUrl` again. Throws `job_not_found` or `invalid_request`. */
  async resendCallback(id: string): Promise<void> {
    await resendCallback(this.store, await this.idOf(id));
  }

  /** The secret with which messages to the callbacks of a tenant's jobs are signed. */
  async callbackSecret(tenant: string = DEFAULT_TENANT): Promise<string> {
    return await callbackSecret(this.store.home, tenant);
  }

  /** Makes later polls ask the provider for more fields than the create did. */
  async widenInclude(id: string, include: string[]): Promise<void> {
    await this.store.run('widen_include', { id, include });
  }

  /** The request of a job; empty if it is no longer kept. */
  async request(id: string): Promise<Record<string, unknown>> {
    return (await storedRequest(this.store, await this.idOf(id))) ?? {};
  }

  /** The request of a job. Throws `result_expired` if it is no longer kept. */
  async keptRequest(id: string): Promise<Record<string, unknown>> {
    const request = await storedRequest(this.store, await this.idOf(id));
    if (!request)
      throw new HeadstoneError(
        'result_expired',
        `The request of job ${id} is not kept. The job was adopted, or it ended too long ago.`,
      );
    return request;
  }

  /** The provider's id for a `previous_response_id`. Throws `invalid_request` unless it is a result of this tenant (I1, I12). */
  async predecessor(tenant: string, id: string, sharesAccount = false): Promise<string> {
    return await upstreamPredecessor(this.store, tenant, id, sharesAccount);
  }

  /** Throws `invalid_request` if an input names items that are not part of this tenant's results (I1, I12). */
  async assertReferences(tenant: string, input: unknown, sharesAccount = false): Promise<void> {
    await assertReferences(this.store, tenant, input, sharesAccount);
  }

  /**
   * Finds a job by its id, or by the id that a caller chose over HTTP, where each tenant has ids apart. Null if there is none
   * that the seeker may see.
   */
  async locate(id: string, seeker: Seeker): Promise<Located | null> {
    return jobIdSchema.safeParse(id).success ? await locate(this.store, id, seeker) : null;
  }

  /** True if the id names a job of any tenant, or a response that a job has made. */
  async isOurs(id: string): Promise<boolean> {
    return await isKnown(this.store, id);
  }

  /** Waits for the job's outcome. Throws `wait_timeout`, `job_not_found`, `result_expired`, `not_durable`. */
  async wait(id: string, options: WaitOptions = {}): Promise<Finished> {
    const known = await this.idOf(id);
    return await waitForOutcome(await this.store.laneOf(known), known, options);
  }

  /**
   * The events of a job as they come, from the beginning or after a sequence number. The last one says how the job ended. A
   * job that was not enqueued with `stream: true` sends its result's events at its end. Throws `job_not_found`, `result_expired`.
   */
  async *subscribe(id: string, options: SubscribeOptions = {}): AsyncGenerator<StreamEvent, void> {
    const checked = parseInput(subscribeOptionsSchema, options);
    const known = await this.idOf(id);
    yield* subscribe(await this.store.laneOf(known), known, await this.request(known), checked);
  }

  /** The app may see every tenant's jobs, also by an id that a tenant chose over HTTP. */
  private async idOf(id: string): Promise<string> {
    return (await locate(this.store, checkId(id), { tenant: null, seesAll: true }))?.id ?? id;
  }

  /** True if every job on record belongs to this tenant. */
  async ownsEverything(tenant: string): Promise<boolean> {
    return await ownsEverything(this.store, tenant);
  }

  /** Lists jobs, the newest first. The default limit is 50. */
  async list(filter: ListFilter = {}): Promise<JobSummary[]> {
    return await this.store.list(parseInput(listFilterSchema, filter));
  }

  /** Sums of wasted and used tokens and cost, grouped by one dimension. */
  async waste(query: WasteQuery = {}): Promise<WasteReport> {
    return await this.store.waste(parseInput(wasteQuerySchema, query));
  }

  /** The ledger's rows, the oldest first. Without a limit it returns all of them. */
  async ledger(query: LedgerQuery = {}): Promise<LedgerRow[]> {
    return await this.store.rows(parseInput(ledgerQuerySchema, query));
  }

  /** Pauses or resumes launching. While it is paused nothing new is spent; polls, watching and cancels go on. */
  async pauseLaunch(isPaused: boolean): Promise<void> {
    await pauseLaunch(this.store, isPaused);
  }

  /** Which launches are held back, why, and when the next try is, the oldest hold first. */
  async holds(): Promise<HeldLaunches[]> {
    return await readHolds(await this.store.allLanes());
  }

  /** Tries at once whether a hold is over. Throws `invalid_request` if there is no such hold. */
  async releaseHold(scope: string): Promise<void> {
    await releaseHold(await this.store.allLanes(), scope);
  }

  /** How much waits where, what is held, and whether launching is paused. */
  async depths(): Promise<Depths> {
    return await readDepths(this.store);
  }

  async close(): Promise<void> {
    this.attendance.close();
    await this.store.close();
  }
}
