import { randomUUID } from 'node:crypto';
import { isOutcome, jobStatusSchema } from '../../src/shared/contract/words.ts';
import type { Lane } from '../../src/shared/store/lane.ts';
import type { Observation } from '../../src/shared/store/lua/shapes.ts';
import type { JobRecord } from '../../src/shared/store/record.ts';
import { acceptJob, observed, redisOf, rowsOf } from '../support/store.ts';

/** The distance of a status from the start. */
const ranks: Record<string, number> = {
  queued: 0,
  in_progress: 0,
  cancelled: 1,
  completed: 2,
  incomplete: 2,
  failed: 2,
};

/** A create that was sent, and the response that it made, if its answer ever arrives. */
export interface Sent {
  id: string;
  epoch: number;
  responseId: string;
}

/** A few jobs in a store, the creates that were sent for them, and everything that was ever certain about them. */
export class Shelf {
  readonly store: Lane;
  readonly jobs: string[] = [];
  readonly adopters = ['adopter-0', 'adopter-1'];
  readonly intents: { id: string; epoch: number }[] = [];
  readonly sent: Sent[] = [];
  private readonly certain = new Map<string, string>();
  /** The largest number of tokens that a response showed to a caller that booked it. */
  private readonly shown = new Map<string, number>();

  constructor(store: Lane) {
    this.store = store;
  }

  async accept(attempts: number, onUnknown: 'fail' | 'relaunch', tenant: string): Promise<void> {
    const id = `job-${this.jobs.length}`;
    await acceptJob(this.store, id, { attempts, on_unknown: onUnknown, tenant });
    this.jobs.push(id);
  }

  async intend(id: string): Promise<void> {
    const intent = await this.store.run('intend', { id, token: randomUUID(), max_in_flight: 1_000_000 });
    if (intent.reply === 'intended') this.intents.push({ id, epoch: intent.epoch });
  }

  /** What a script is about to be told about a response. Nothing is booked for a response that is not in the ledger. */
  async show(responseId: string, status: string, totalTokens?: number): Promise<Observation> {
    if (totalTokens !== undefined && (await this.store.row(responseId)))
      this.shown.set(responseId, Math.max(totalTokens, this.shown.get(responseId) ?? 0));
    return observed(status, totalTokens);
  }

  /** The promises that are broken now, in words. Empty if all hold. */
  async problems(): Promise<string[]> {
    const found: string[] = [];
    for (const id of [...this.jobs, ...this.adopters]) {
      const record = await this.store.record(id);
      if (record) found.push(...(await this.problemsOf(record)));
    }
    for (const row of await rowsOf(this.store, {})) {
      const { response_id: responseId, job_id: jobId, kind, cause, actor, status } = row;
      const tokens = row.usage?.total_tokens;
      if (tokens !== this.shown.get(responseId))
        found.push(`I3, I11: ${responseId} has ${tokens} tokens, and showed ${this.shown.get(responseId)}`);
      found.push(...this.mustRise(`I11: the status of ${responseId}`, row.upstream_status ?? 'queued'));
      const owner = await this.store.record(row.job_id);
      if (kind !== null)
        found.push(...this.mustStay(`I3: what ${responseId} is booked as`, `${jobId}, ${kind}, ${cause}, ${actor}`));
      if (owner?.tenant !== row.tenant) found.push(`I12: ${responseId} is ${row.tenant}'s, its job ${owner?.tenant}'s`);
      if (kind === null && owner?.response_id !== responseId) found.push(`I3: ${responseId} is open, and nobody's`);
      const isWatched = (await redisOf(this.store).zscore(this.store.keys.unsettled(), responseId)) !== null;
      if (kind !== null && status === 'pending' && !isWatched) found.push(`I10: ${responseId} is not watched`);
    }
    return found;
  }

  private async problemsOf({ id, status, response_id: responseId, parked_scope: scope }: JobRecord): Promise<string[]> {
    const { keys } = this.store;
    const client = redisOf(this.store);
    const found: string[] = [];
    if (isOutcome(status)) found.push(...this.mustStay(`I2: the outcome of ${id}`, status));
    for (const other of jobStatusSchema.options)
      if (((await client.zscore(keys.status(other), id)) !== null) !== (other === status))
        found.push(`${id} is ${status}, and its index for ${other} says otherwise`);
    if (((await client.zscore(keys.open(), id)) !== null) === isOutcome(status))
      found.push(`I10: ${id} is ${status}, and the patrol's index says otherwise`);
    const isParked = (await client.zscore(keys.parked('account'), id)) !== null;
    if (isParked !== (scope !== undefined) || (isParked && status !== 'queued'))
      found.push(`${id} is ${status}, parked at ${scope}, and the place for those says otherwise`);
    if (status !== 'running') return found;
    const row = responseId === undefined ? null : await this.store.row(responseId);
    if (row?.job_id !== id || row.kind !== null) found.push(`I3: ${id} runs, and its response is another's or decided`);
    return found;
  }

  private mustRise(what: string, status: string): string[] {
    const before = this.certain.get(what) ?? status;
    if ((ranks[status] ?? 0) < (ranks[before] ?? 0)) return [`${what} was ${before} and is ${status}`];
    this.certain.set(what, status);
    return [];
  }

  private mustStay(what: string, now: string): string[] {
    const before = this.certain.get(what) ?? now;
    this.certain.set(what, before);
    return before === now ? [] : [`${what} was ${before} and is ${now}`];
  }
}
