import type { Job } from '../../shared/contract/job.ts';
import { withMembers } from '../../shared/runtime/json-members.ts';
import { errorBody, errorType } from '../error-body.ts';

/** The members that a plain create shows in another way than a job: it has no background and nothing of Headstone's. */
const plainly = { background: 'false', headstone: undefined };

/**
 * What must not be paid for twice is answered with 400: OpenAI's SDK, the AI SDK and LangChain send a create again after any
 * 5xx, 408, 409 or 429 (docs/decisions/0027).
 */
const NEVER_AGAIN = 400;
const UNREACHABLE = 503;

export interface Plain {
  status: number;
  text: string;
}

/** What a plain create would have answered. `text` is the job's Response as JSON. */
export function plainOutcome(job: Job, text: string): Plain {
  const error = errorOf(job);
  return error ? { status: error.status, text: JSON.stringify(error.body) } : { status: 200, text: plainText(text) };
}

/** The same, if 200 has been sent: then an error is in the Response, where every client looks for one. */
export function latePlainOutcome(job: Job, text: string): string {
  const error = errorOf(job);
  if (!error) return plainText(text);
  // With type and param, because the AI SDK takes a Response for malformed whose error has none.
  return withMembers(text, { ...plainly, status: '"failed"', error: JSON.stringify(error.body.error) });
}

export function plainText(text: string): string {
  return withMembers(text, plainly);
}

/** Null for what a plain create answers with a Response. A run that failed at the provider is one. */
export function errorOf(job: Job): { status: number; body: ReturnType<typeof errorBody> } | null {
  switch (job.status) {
    case 'completed':
    case 'incomplete':
      return null;
    case 'failed':
      return job.response ? null : refused(job);
    case 'expired':
      return own('expired', 'The request passed its deadline, so it was cancelled.');
    default:
      return own('cancelled', cancelledBy(job));
  }
}

function refused(job: Job) {
  const { code, message, refusal } = job.outcome?.error ?? { code: 'server_error', message: 'The run failed.' };
  // A create that was refused without an HTTP status reached nobody, so it may be sent again.
  const { http_status: status = refusal ? UNREACHABLE : NEVER_AGAIN, type, param } = refusal ?? {};
  // Where the provider gave no code, the record has the error's type or status in its place.
  const given = code === type || code === `http_${status}` ? null : code;
  return { status, body: errorBody(message, given, type ?? errorType(status), param ?? null) };
}

function cancelledBy({ tombstone }: Job): string {
  if (!tombstone?.actor && !tombstone?.reason) return 'The request was cancelled.';
  const by = tombstone.actor ? ` by ${tombstone.actor}` : '';
  return `The request was cancelled${by}${tombstone.reason ? `: ${tombstone.reason}` : '.'}`;
}

function own(code: string, message: string) {
  return { status: NEVER_AGAIN, body: errorBody(message, code, errorType(NEVER_AGAIN)) };
}
