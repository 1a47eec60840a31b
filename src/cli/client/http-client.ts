import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { acceptance } from '../../producer/acceptance.ts';
import { checkId } from '../../producer/check-id.ts';
import type { EnqueuedJob, EnqueueResult } from '../../producer/enqueue-result.ts';
import type { RetryOptions } from '../../producer/retry.ts';
import { finishedOf, timedOut, timeoutSignal, type WaitOptions } from '../../producer/wait.ts';
import { type Depths, depthsSchema } from '../../shared/contract/depths.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import { type HeldLaunches, heldLaunchesSchema } from '../../shared/contract/holds.ts';
import {
  type Finished,
  type Job,
  type JobSummary,
  jobSchema,
  jobSummarySchema,
  type ListFilter,
} from '../../shared/contract/job.ts';
import {
  type LedgerQuery,
  type LedgerRow,
  ledgerRowSchema,
  type WasteQuery,
  type WasteReport,
  wasteReportSchema,
} from '../../shared/contract/ledger.ts';
import type { CancelOptions, EnqueueOptions } from '../../shared/contract/request.ts';
import { upstreamResponseSchema } from '../../shared/contract/response.ts';
import type { StreamEvent, SubscribeOptions } from '../../shared/contract/stream.ts';
import { jobStatusSchema, type Verdict, verdictSchema } from '../../shared/contract/words.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';
import type { Client } from './client.ts';
import { HttpCancellations } from './http-cancellations.ts';
import { subscribeOverHttp } from './http-subscribe.ts';
import { ServerConnection } from './server-connection.ts';
import { mayPass, ServerUnavailable } from './server-errors.ts';

type NewJob = Parameters<Client['enqueueMany']>[0][number];
type NamedJob = NewJob & { id: string };

const recordSchema = jobSchema.omit({ response: true });
const enqueuedSchema = z.object({ id: z.string(), status: jobStatusSchema });
const shownSchema = z.looseObject({ headstone: z.looseObject({ status: jobStatusSchema }) });
const cancelledSchema = z.looseObject({ headstone: z.looseObject({ verdict: verdictSchema }) });

/** Each job is named here, so that a create whose answer is lost can be sent again. The server finds its lane by the name. */
const placing = { newId: () => `job_${randomUUID().replaceAll('-', '')}`, lanes: 1 };

/** How many creates are sent at once. */
const AT_ONCE = 10;

/** A deployment that is reached through its server. */
export class HttpClient implements Client {
  private readonly server: ServerConnection;
  private readonly configuration: Configuration;
  readonly cancellations: HttpCancellations;

  constructor(url: string, configuration: Configuration) {
    this.server = new ServerConnection(url, configuration.cliApiKey);
    this.configuration = configuration;
    this.cancellations = new HttpCancellations(this.server);
  }

  /** Throws before anything is sent if a request is invalid, and after the first create if the server takes none. */
  async enqueueMany(jobs: NewJob[]): Promise<EnqueueResult[]> {
    const [first, ...others] = jobs.map((job, position) => {
      // Which callbacks may be, the server knows.
      const known = { ...job, options: { ...job.options, callbackUrl: undefined } };
      const { given } = acceptance(known, this.configuration, placing, jobs.length > 1 ? position : null);
      return { ...job, id: given.id };
    });
    if (!first) return [];
    const results = [await this.enqueue(first).catch((error: unknown) => unsureOf(first.id, error))];
    for (let start = 0; start < others.length; start += AT_ONCE)
      results.push(...(await Promise.all(others.slice(start, start + AT_ONCE).map(job => this.enqueueOrSay(job)))));
    return results;
  }

  async cancel(id: string, { reason, actor }: CancelOptions = {}): Promise<{ verdict: Verdict }> {
    try {
      const { headstone } = await this.server.post(`${responsePath(id)}/cancel`, cancelledSchema, { reason, actor });
      return { verdict: headstone.verdict };
    } catch (error) {
      if (!isGone(error)) throw error;
      // The response is no longer shown, but the record still says how the job ended.
      const outcome = (await this.record(id))?.outcome;
      return { verdict: outcome ? `already_${outcome.status}` : 'not_found' };
    }
  }

  async retry(id: string, { key = randomUUID() }: RetryOptions = {}): Promise<EnqueuedJob> {
    const named = { 'idempotency-key': key };
    return await this.server.post(`/jobs/${checkId(id)}/retry`, enqueuedSchema, {}, named);
  }

  async get(id: string): Promise<Job | null> {
    const record = await this.record(id);
    if (record?.outcome?.result !== 'stored') return record && { ...record, response: null };
    const response = await this.server.get(responsePath(id), upstreamResponseSchema).catch((error: unknown) => {
      // It was deleted between the two calls.
      if (isGone(error)) return null;
      throw error;
    });
    return { ...record, response };
  }

  async wait(id: string, { timeoutMs, signal }: WaitOptions = {}): Promise<Finished> {
    const timeout = timeoutSignal(timeoutMs);
    const ended = AbortSignal.any([signal, timeout].filter(one => one !== undefined));
    try {
      // The last event comes with the outcome.
      for await (const _ of this.subscribe(id, { signal: ended }));
    } catch (error) {
      if (timeout?.aborted) throw timedOut(id, timeoutMs ?? 0);
      // A job without events has ended or never was.
      if (!isGone(error)) throw error;
    }
    const job = await this.get(id);
    const finished = job && finishedOf(job);
    if (!finished)
      throw new HeadstoneError(
        'job_not_found',
        `There is no job ${id}. It was never enqueued, or its record has expired.`,
      );
    return finished;
  }

  subscribe(id: string, options: SubscribeOptions = {}): AsyncGenerator<StreamEvent, void> {
    return subscribeOverHttp(this.server, responsePath(id), options);
  }

  async list(filter: ListFilter = {}): Promise<JobSummary[]> {
    const { data } = await this.server.get('/jobs', z.object({ data: z.array(jobSummarySchema) }), filter);
    return data;
  }

  async waste({ groupBy, ...period }: WasteQuery = {}): Promise<WasteReport> {
    return await this.server.get('/waste', wasteReportSchema, { group_by: groupBy, ...period });
  }

  async ledger(query: LedgerQuery = {}): Promise<LedgerRow[]> {
    const { data } = await this.server.get('/ledger', z.object({ data: z.array(ledgerRowSchema) }), query);
    return data;
  }

  async depths(): Promise<Depths> {
    return await this.server.get('/status', depthsSchema);
  }

  async resendCallback(id: string): Promise<void> {
    await this.server.post(`/jobs/${checkId(id)}/webhook/resend`, z.object({ resent: z.literal(true) }));
  }

  async callbackSecret(tenant?: string): Promise<string> {
    return (await this.server.get('/webhook_secret', z.object({ secret: z.string() }), { tenant })).secret;
  }

  async holds(): Promise<HeldLaunches[]> {
    return (await this.server.get('/holds', z.object({ data: z.array(heldLaunchesSchema) }))).data;
  }

  async releaseHold(scope: string): Promise<void> {
    await this.server.post('/holds/release', z.object({ released: z.literal(true) }), { scope });
  }

  async pauseLaunch(isPaused: boolean): Promise<void> {
    await this.server.post(`/launch/${isPaused ? 'pause' : 'resume'}`, depthsSchema);
  }

  /** A job's record without its response; null if there is none. */
  async record(id: string): Promise<Omit<Job, 'response'> | null> {
    try {
      return await this.server.get(`/jobs/${checkId(id)}`, recordSchema);
    } catch (error) {
      if (isGone(error)) return null;
      throw error;
    }
  }

  private async enqueue({ id, request, options = {} }: NamedJob): Promise<EnqueueResult> {
    const body = { ...(request as { stream?: boolean }), background: true, headstone: headstoneField(id, options) };
    try {
      // A caller that follows the events asks for them again and misses none.
      if (body.stream) await this.server.begin('/responses', body);
      const status = body.stream
        ? 'queued'
        : (await this.server.post('/responses', shownSchema, body)).headstone.status;
      return { id, status, error: null };
    } catch (error) {
      // The same request was enqueued before under this id, and its result is gone. Nothing is wrong.
      const record = isGone(error) ? await this.record(id) : null;
      if (!record) throw error;
      return { id, status: record.status, error: null };
    }
  }

  private async enqueueOrSay(job: NamedJob): Promise<EnqueueResult> {
    try {
      return await this.enqueue(job);
    } catch (error) {
      if (error instanceof HeadstoneError && !error.retryable) return { id: job.id, status: null, error };
      return unsure(job.id, error);
    }
  }
}

/** Throws the error if it is certain that nothing was enqueued. */
function unsureOf(id: string, error: unknown): EnqueueResult {
  if (!mayPass(error) || (error instanceof ServerUnavailable && !error.mayHaveArrived)) throw error;
  return unsure(id, error);
}

function unsure(id: string, cause: unknown): EnqueueResult {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `It is not known whether job ${id} was enqueued. Run "headstone get ${id}" with the same --server to find out. ${why}`;
  return { id, status: null, error: new HeadstoneError('store_unreachable', message, { cause }) };
}

function headstoneField(id: string, options: EnqueueOptions) {
  const { tenant, tags, deadlineMs, attempts, priority, onUnknownLaunch, callbackUrl } = options;
  return {
    id,
    tenant,
    tags,
    attempts,
    priority,
    deadline_ms: deadlineMs,
    on_unknown_launch: onUnknownLaunch,
    callback_url: callbackUrl,
  };
}

function responsePath(id: string): string {
  return `/responses/${checkId(id)}`;
}

/** True if there is no such job, or its result was deleted or is no longer kept. */
function isGone(error: unknown): boolean {
  return error instanceof HeadstoneError && (error.code === 'job_not_found' || error.code === 'result_expired');
}
