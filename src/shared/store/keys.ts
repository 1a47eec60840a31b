/** Every key of a deployment, all under one prefix with one hash tag. The scripts build the same names in Lua. */
export class Keys {
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  private key(...parts: string[]): string {
    return [this.prefix, ...parts].join(':');
  }

  /** Hash: the record of a job. */
  job = (id: string) => this.key('job', id);
  /** String: the body of the create. */
  request = (id: string) => this.key('request', id);
  /** String: the upstream's body, as long as it is kept. */
  result = (id: string) => this.key('result', id);
  /** List: what happened, as JSON. */
  timeline = (id: string) => this.key('timeline', id);
  /** Hash: one ledger row. */
  row = (responseId: string) => this.key('row', responseId);
  /** Hash: one tenant's sums of one UTC day. */
  sums = (day: string, tenant: string) => this.key('sums', day, tenant);
  /** Set: the tenants that have sums of a UTC day. */
  sumsTenants = (day: string) => this.key('sums', day);
  /** Sorted sets of job ids by sequence. */
  jobs = () => this.key('jobs');
  status = (status: string) => this.key('status', status);
  tenant = (tenant: string) => this.key('tenant', tenant);
  tag = (tag: string) => this.key('tag', tag);
  /** Sorted set of open jobs by the time of their next patrol. */
  open = () => this.key('open');
  /** Sorted set of launches whose POST may be under way, as `ID|EPOCH`, by the time of their intent. */
  intents = () => this.key('intents');
  /** Sorted set of response ids that are still followed. */
  unsettled = () => this.key('unsettled');
  /** Stream: the events of a job's response, in batches. */
  events = (id: string) => this.key('events', id);
  /** Sorted set of jobs whose stream a worker holds, by the time of its last sign of life. */
  streams = () => this.key('streams');
  /** Channel: jobs that have new events. */
  streamed = () => this.key('streamed');
  /** Sorted set of response ids by the time that their row was opened. */
  rows = (tenant?: string) => (tenant === undefined ? this.key('rows') : this.key('rows', tenant));
  /** Number: counted up by whoever must know how far the replicas are. */
  durable = () => this.key('durable');
  /** Sorted set of queue entries that are due, by the time they were written. */
  outbox = () => this.key('outbox');
  /** Set of the scopes that have parked jobs. */
  parkedScopes = () => this.key('parked_scopes');
  /** Hash: by queue entry, how many of its stalls were followed by progress. */
  forgivenStalls = () => this.key('forgiven_stalls');
  /** Hash: what keeps launches back, and until when. */
  hold = (scope: string) => this.key('hold', scope);
  /** Sorted set of the jobs that a hold keeps back, by sequence; those that it refused come behind them, by time. */
  parked = (scope: string) => this.key('parked', scope);
  /** Hash: many jobs under one cancel, and how far it has come. */
  cancellation = (id: string) => this.key('cancellation', id);
  /** Sorted set of the cancellations that are under way, by the time of their last step. */
  cancellations = () => this.key('cancellations');
  /** List: jobs of one first send, the newest first, by how often each was sent again. */
  sends = (digest: string, count: number) => this.key('sends', digest, String(count));
  /** String: somebody has asked for this job by its id, so its create was answered. */
  answered = (id: string) => this.key('answered', id);
  /** String: whose key a person signed in with, by the digest of their cookie. */
  session = (digest: string) => this.key('session', digest);
  /** String: which worker sweeps. */
  lease = () => this.key('lease');
  /** String: a worker's own count of its writes. */
  canary = (worker: string) => this.key('canary', worker);
  /** Set: the jobs whose callers chose this id over HTTP, one a tenant at most. */
  chosen = (id: string) => this.key('chosen', id);
  /** String: the job whose response has this item, so that a reference to it can be judged. */
  item = (itemId: string) => this.key('item', itemId);
  /** String: written to find out whether the store takes writes. */
  probe = () => this.key('probe');
  /** String: what ids are made with that nobody may guess. */
  secret = () => this.key('secret');
  /** String: the random id of this deployment. */
  deployment = () => this.key('deployment');
  /** Channel: each outcome, published by the script that decided it. */
  decided = () => this.key('decided');
}
