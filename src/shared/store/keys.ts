import { type JobStatus, jobStatusSchema } from '../contract/words.ts';

/** Every key of a deployment. All are under one prefix with one hash tag, and the scripts build the same names in Lua. */
export class Keys {
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  private key(...parts: string[]): string {
    return [this.prefix, ...parts].join(':');
  }

  /** A key that is never written. Each script names it, so that none of them runs while the slot is moved (see `Script`). */
  never = () => this.key('never');
  /** Hash: the record of a job. */
  job = (id: string) => this.key('job', id);
  /** String: the body of the create. */
  request = (id: string) => this.key('request', id);
  /** String: the provider's body, which expires. */
  result = (id: string) => this.key('result', id);
  /** List: what happened to a job, as JSON. */
  timeline = (id: string) => this.key('timeline', id);
  /** Hash: one ledger row. */
  row = (responseId: string) => this.key('row', responseId);
  /** Hash: the sums of a tenant on a UTC day. */
  sums = (day: string, tenant: string) => this.key('sums', day, tenant);
  /** Set: the tenants that have sums of a UTC day. */
  sumsTenants = (day: string) => this.key('sums', day);
  /** Sorted sets: job ids by sequence. */
  status = (status: JobStatus) => this.key('status', status);
  /** Every job is in one of these. */
  statuses = () => jobStatusSchema.options.map(this.status);
  tenant = (tenant: string) => this.key('tenant', tenant);
  tag = (tag: string) => this.key('tag', tag);
  /**
   * Sorted sets: the ids of all jobs, by their letters. One that a caller chose is `CHOSEN|ID`. Those like the ids that
   * Headstone draws are in the index of their first three digits.
   */
  ids = (digits?: string) => (digits === undefined ? this.key('ids') : this.key('ids', digits));
  /** Sorted set: ended jobs by the time at which their record expires. */
  ended = () => this.key('ended');
  /** Sorted set: open jobs by the time of their next patrol. */
  open = () => this.key('open');
  /** Sorted set: launches whose POST may be under way, as `ID|EPOCH`, by the time of their intent. */
  intents = () => this.key('intents');
  /** Sorted set: responses that are still watched. */
  unsettled = () => this.key('unsettled');
  /** Stream: the events of a job, in batches. */
  events = (id: string) => this.key('events', id);
  /** Sorted set: jobs whose stream a worker follows, by the time of its last sign of life. */
  streams = () => this.key('streams');
  /** Channel: the ids of jobs that have new events. */
  streamed = () => this.key('streamed');
  /** Sorted set: response ids by the time at which their row was opened. */
  rows = (tenant?: string) => (tenant === undefined ? this.key('rows') : this.key('rows', tenant));
  /** Number: raised to find out how far the replicas are. */
  durable = () => this.key('durable');
  /** Sorted set: entries that are due, by the time at which they were written. */
  outbox = () => this.key('outbox');
  /** Set: the scopes that have parked jobs. */
  parkedScopes = () => this.key('parked_scopes');
  /** Hash: how often an entry that had stalled was begun with since a worker last came to an end with it. */
  crashes = () => this.key('crashes');
  /** Set: the scopes that have a hold, or had one. */
  heldScopes = () => this.key('held_scopes');
  /** Hash: a hold on launches. */
  hold = (scope: string) => this.key('hold', scope);
  /** Sorted set: the jobs that a hold keeps back, by sequence. Refused jobs come behind them, by time. */
  parked = (scope: string) => this.key('parked', scope);
  /** Hash: a cancellation of many jobs, and its progress. */
  cancellation = (id: string) => this.key('cancellation', id);
  /** Sorted set: all cancellations that are kept, by the time at which they began. */
  allCancellations = () => this.key('all_cancellations');
  /** Sorted set: the jobs that a cancellation has cancelled, by sequence. */
  cancelled = (id: string) => this.key('cancelled', id);
  /** Sorted set: the cancellations under way, by the time of their last step. */
  cancellations = () => this.key('cancellations');
  /** List: the jobs of equal requests that were sent this often, the newest first. */
  sends = (digest: string, count: number) => this.key('sends', digest, String(count));
  /** Sorted set: the processes whose callers wait for a job, by the time until which they speak for them. */
  attending = (id: string) => this.key('attending', id);
  /** Sorted set: attended jobs, by the last of those times; and those that nobody spoke for by then. */
  attended = () => this.key('attended');
  lastCalls = () => this.key('last_calls');
  /** String: the job whose caller went away after it sent this. */
  left = (digest: string) => this.key('left', digest);
  /** String: set while the provider's webhooks arrive. Only the first lane has it. */
  webhooks = () => this.key('webhooks');
  /** String: a response of which only a webhook knows. */
  stranger = (responseId: string) => this.key('stranger', responseId);
  /** String: set once a caller has asked for this job by its id, so that its create was answered. */
  answered = (id: string) => this.key('answered', id);
  /** String: the key that a person signed in with, by the digest of the cookie. */
  session = (digest: string) => this.key('session', digest);
  /** Hash: what this lane may use of the caps that all lanes share. */
  share = () => this.key('share');
  /** String: the worker that shares out, and the number of workers that have done so. Only the first lane has them. */
  sharer = () => this.key('sharer');
  term = () => this.key('term');
  /** String: the worker that sweeps. */
  lease = () => this.key('lease');
  /** String: a number that a worker raises each second. */
  canary = (worker: string) => this.key('canary', worker);
  /** Sorted set: the workers that serve this lane, by the time at which they last said so. */
  servants = () => this.key('servants');
  /** Sorted set: the newest jobs of this lane that continue a response, by sequence. */
  continued = (responseId: string) => this.key('continued', responseId);
  /** Set: the jobs whose callers chose this id over HTTP, at most one for each tenant. */
  chosen = (id: string) => this.key('chosen', id);
  /** String: the job whose response has this item. */
  item = (itemId: string) => this.key('item', itemId);
  /** String: written to find out whether the store takes writes. */
  probe = () => this.key('probe');
  /** String: the secret from which ids are made that nobody may guess. */
  secret = () => this.key('secret');
  /** String: the numbers of lanes that the deployment has had, the present one last. Only the first lane has it. */
  lanes = () => this.key('lanes');
  /** String: the number of lanes by which an id of the app has to be placed to be accepted in this lane. */
  fence = () => this.key('fence');
  /** Number: of the newest intent. */
  epoch = () => this.key('epoch');
  /** Number: of the newest job. */
  sequence = () => this.key('sequence');
  /** String: the job that is adopting a response, in the lane of the response's id. */
  adopted = (responseId: string) => this.key('adopted', responseId);
  /** String: the random id of this deployment. */
  deployment = () => this.key('deployment');
  /** Channel: each outcome. */
  decided = () => this.key('decided');
}
