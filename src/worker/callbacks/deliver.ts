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

/** The receiver has said that it wants no more of these. */
const GONE = 410;

/** Sends a message to the URL that a job was enqueued with: `outcome:JOB` or `waste:RESPONSE`. At least once, for up to 24 h. */
export async function deliver(entry: string, context: Context): Promise<Activation> {
  const [, kind, subject = ''] = /^(outcome|waste):([\s\S]*)$/.exec(entry) ?? [];
  const row = kind === 'waste' ? await context.store.row(subject) : null;
  const record = await context.store.record(row?.job_id ?? subject);
  if (!record?.callback) return done('nobody to tell');
  const message = row ? wasteMessage(row, context.deployment) : outcomeMessage(record, context.deployment);
  if (!message) return done('nothing to tell yet');
  // A result that too few replicas hold is not told (I1).
  if (!row) await context.store.untilDurable(record);
  const { isDelivered, code, isGone } = await tried(record, message, context);
  return await report(record, row ? entry : 'outcome', { message, isDelivered, code, isGone }, context);
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
