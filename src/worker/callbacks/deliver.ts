import { errorCode } from '../../shared/store/connection/store-errors.ts';
import { callbackSecret } from '../../shared/store/deployment.ts';
import type { JobRecord } from '../../shared/store/record.ts';
import { type Activation, type Context, done, parkFor } from '../context.ts';
import { type Message, outcomeMessage, signedHeaders, wasteMessage } from './message.ts';
import { NotSent, send } from './send.ts';

const GIVE_UP_MS = 24 * 3_600_000;
/** How long after each try the next one comes. The last one repeats. */
const DELAYS_MS = [5, 30, 120, 600, 1800, 3600, 7200, 14_400].map(seconds => seconds * 1000);
const JITTER = 0.2;

/** How many messages of one tenant are sent by this process at once, so that slow receivers keep only their own waiting (I12). */
const MOST_AT_ONCE = 3;
/** When a message that finds its tenant busy comes again: later the longer it has waited, so that many of them are no load (I9). */
const BUSY_MS = 1000;
const MOST_BUSY_MS = 60_000;
const BUSY_SHARE = 0.1;

/** The receiver has said that it wants no more of these. */
const GONE = 410;

/** Sends a message to the URL that a job was enqueued with: `outcome:JOB` or `waste:RESPONSE`. At least once, for up to 24 h. */
export async function deliver(entry: string, context: Context): Promise<Activation> {
  const [, kind, subject = ''] = /^(outcome|waste):([\s\S]*)$/.exec(entry) ?? [];
  const row = kind === 'waste' ? await context.store.row(subject) : null;
  const record = await context.store.record(row?.job_id ?? subject);
  if (!record?.callback) return done('nobody to tell');
  const { tenant } = record;
  if (isBusy(tenant)) return parkFor(busyMs(context.store.now() - (row?.at ?? record.decided_at ?? 0)));
  const message = row ? wasteMessage(row, record, context.deployment) : outcomeMessage(record, context.deployment);
  if (!message) return done('nothing to tell yet');
  // A result that too few replicas hold is not told (I1).
  if (!row) await context.store.untilDurable(record);
  // Another one may have begun meanwhile.
  if (isBusy(tenant)) return parkFor(busyMs(0));
  sending.set(tenant, (sending.get(tenant) ?? 0) + 1);
  const outcome = await tried(record, message, context).finally(() => {
    const others = (sending.get(tenant) ?? 1) - 1;
    if (others > 0) sending.set(tenant, others);
    else sending.delete(tenant);
  });
  return await report(record, row ? entry : 'outcome', { message, ...outcome }, context);
}

/** How many messages of each tenant are being sent now. */
const sending = new Map<string, number>();

function isBusy(tenant: string): boolean {
  return (sending.get(tenant) ?? 0) >= MOST_AT_ONCE;
}

function busyMs(waitedMs: number): number {
  return Math.min(Math.max(BUSY_MS, waitedMs * BUSY_SHARE), MOST_BUSY_MS) * (0.5 + Math.random());
}

/** Workers kept dying over this message. */
export async function giveUpDelivering(entry: string, context: Context): Promise<Activation> {
  const [, kind, subject = ''] = /^(outcome|waste):([\s\S]*)$/.exec(entry) ?? [];
  const id = kind === 'waste' ? (await context.store.row(subject))?.job_id : subject;
  if (id === undefined) return done('nobody to tell');
  const about = kind === 'waste' ? entry : 'outcome';
  const reply = await context.store.run('report_callback', { id, about, how: 'failed', code: 'poison', give_up_ms: 0 });
  if (reply.reply === 'given_up')
    context.telemetry.emit('callback_given_up', { job_id: id, type: about, code: 'poison', tries: reply.tries });
  return done('given up');
}

interface Try {
  isDelivered: boolean;
  /** An HTTP status, or why nothing was sent or answered. */
  code: string;
  isGone: boolean;
}

async function tried(record: JobRecord, message: Message, { lanes, configuration }: Context): Promise<Try> {
  const secret = await callbackSecret(lanes.home, record.tenant);
  try {
    const headers = signedHeaders(message, secret);
    const { body } = message;
    const status = await send(new URL(record.callback ?? ''), { headers, body }, configuration.callbackHosts);
    return { isDelivered: status >= 200 && status < 300, code: `http_${status}`, isGone: status === GONE };
  } catch (error) {
    const code = error instanceof NotSent ? error.code : errorCode(error);
    return { isDelivered: false, code, isGone: false };
  }
}

async function report(
  { id }: JobRecord,
  about: string,
  { message, isDelivered, code, isGone }: Try & { message: Message },
  { store, telemetry }: Context,
): Promise<Activation> {
  const how = isDelivered ? ('delivered' as const) : ('failed' as const);
  const given = { id, about, how, code, give_up_ms: isGone ? 0 : GIVE_UP_MS };
  const reply = await store.run('report_callback', given);
  if (reply.reply === 'missing') return done('no record');
  const facts = { job_id: id, type: message.type, code, tries: reply.tries };
  if (reply.reply === 'delivered') telemetry.emit('callback_delivered', facts);
  if (reply.reply === 'given_up') telemetry.emit('callback_given_up', facts);
  if (reply.reply !== 'failed') return done(reply.reply);
  const delayMs = DELAYS_MS[Math.min(reply.tries, DELAYS_MS.length) - 1] ?? 0;
  const retryInMs = Math.round(delayMs * (1 - JITTER + 2 * JITTER * Math.random()));
  telemetry.emit('callback_failed', { ...facts, retry_in_ms: retryInMs });
  return parkFor(retryInMs);
}
