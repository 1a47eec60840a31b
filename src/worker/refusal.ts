import type { Hold } from '../shared/store/lua/shapes.ts';
import type { CallFailure, LaunchAnswer, Refusal } from './answers.ts';

const ALARM_MS = 60_000;
const LONGEST_HOLD_MS = 600_000;

/** The connection never stood, so nothing was sent. */
const noRouteCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Limits that do not pass by waiting: the account has to be looked at. */
const quotaCode =
  /^(insufficient_quota|credit_balance_exhausted|organization_usage_limit_exceeded|.+_spend_limit_exceeded)$/;

const missingModelCodes = new Set(['model_not_found', 'DeploymentNotFound']);

/** OpenAI and Azure say so where the URL is wrong. By their words: a missing file or model has the same codes. */
const nowhereMessage = /^(Invalid URL|Resource not found)/i;

/** Gateways say it in words alone (LiteLLM, vLLM). */
const missingModelMessage = /\bmodel\b.*\b(not exist|not found)\b/is;

/** A rate limit that no waiting satisfies, because the request is larger than the limit itself. */
const neverPasses = /request too large|must be reduced/i;

/** A limit that says when to come back lets this request through some day. */
const namesAWait = /try again in/i;

/** Whoever answers so has not passed the request on, whatever stands in the body. */
const turnedAway = new Set([413, 414, 429, 431]);

/** Somebody gave up on the way, or wants it sent again: the request itself may have arrived. */
const undecided = new Set([408, 409, 425, 499]);

/** Everything that is not certainly a refusal is unknown: the response may run and be billed. */
export function answerToFailedCreate(failure: CallFailure, model: string): LaunchAnswer {
  const refusal = refusalOf(failure, model);
  if (refusal) return { kind: 'refused', ...refusal };
  const { status, message } = failure;
  return {
    kind: 'unknown',
    code: unknownCode(failure),
    ...(status === null ? {} : { httpStatus: status }),
    ...(message === null ? {} : { message }),
  };
}

function refusalOf(failure: CallFailure, model: string): Refusal | null {
  const { status, headers, connectionCode, stoodBefore } = failure;
  if (status === null) {
    const neverStood = connectionCode !== null && noRouteCodes.has(connectionCode) && !stoodBefore;
    return neverStood ? held('no_route', null, connectionCode, { of: 'account', lifted_by: 'answer' }) : null;
  }
  const code = failure.code ?? failure.type ?? `http_${status}`;
  const message = failure.message || `The provider answered ${status}.`;

  if ((status === 403 || status === 404) && missingModelCodes.has(code) && speaksOf(model, message))
    return held(code, status, message, { of: 'model', why: 'model' });
  // A wrong key, whatever the body says and whoever wrote it.
  if (status === 401) return held(code, status, message, { of: 'access', why: 'key', lifted_by: 'entry' });
  // A key without rights, a blocked network; or a firewall on the way that dislikes this one prompt.
  if (status === 403) return held(code, status, message, { of: 'access', why: 'content', lifted_by: 'entry' });
  // A gateway's own page says nothing about what lies behind it.
  if (failure.message === null && !turnedAway.has(status)) return null;
  if (status === 503) return code === 'server_is_overloaded' ? rateLimited(code, status, message, headers) : null;
  if (status < 400 || status > 499 || undecided.has(status)) return null;
  // Gateways that sell credits say so (OpenRouter).
  if (status === 402) return held(code, status, message, { of: 'account' });
  if (status === 429) return refusalOfRate(failure, code, message);
  const saysSo =
    failure.param === 'model' ||
    (failure.param === null && missingModelMessage.test(message) && message.includes(model));
  if (status === 404 && saysSo) return held('model_not_found', status, message, { of: 'model', why: 'model' });
  if (status === 404 && nowhereMessage.test(message))
    return held('no_such_url', status, message, { of: 'account', lifted_by: 'entry' });
  return { code, httpStatus: status, message, next: 'failed' };
}

/** A tool may have a model of its own, which is missing for this job alone. */
function speaksOf(model: string, message: string): boolean {
  return message.includes(model) || !missingModelMessage.test(message);
}

function refusalOfRate({ type, headers }: CallFailure, code: string, message: string): Refusal {
  if (quotaCode.test(code) || quotaCode.test(type ?? '')) return held(code, 429, message, { of: 'account' });
  if (neverPasses.test(message)) return { code, httpStatus: 429, message, next: 'failed' };
  return rateLimited(code, 429, message, headers);
}

function held(
  code: string,
  httpStatus: number | null,
  message: string,
  whom: Pick<Hold, 'of' | 'why' | 'lifted_by'>,
): Refusal {
  return { code, httpStatus, message, next: 'queued', hold: { ...whom, kind: 'alarm', for_ms: ALARM_MS } };
}

function rateLimited(code: string, httpStatus: number, message: string, headers: Headers | undefined): Refusal {
  const forMs = retryAfterMs(headers);
  return {
    code,
    httpStatus,
    message,
    next: 'queued',
    hold: { of: 'model', kind: 'rate', for_ms: forMs, will_pass: forMs !== undefined || namesAWait.test(message) },
  };
}

function unknownCode({ status, timedOut, connectionCode, code }: CallFailure): string {
  if (timedOut) return 'timeout';
  if (status !== null) return `http_${status}`;
  return connectionCode ?? code ?? 'connection_lost';
}

/** Seconds or a date, or OpenAI's own header in milliseconds; at most ten minutes. */
export function retryAfterMs(headers: Headers | undefined): number | undefined {
  const precise = numberIn(headers?.get('retry-after-ms'));
  const coarse = headers?.get('retry-after')?.trim() ?? '';
  const seconds = numberIn(coarse);
  const wanted = precise ?? (seconds === null ? Date.parse(coarse) - Date.now() : seconds * 1000);
  return Number.isFinite(wanted) ? Math.ceil(Math.min(Math.max(0, wanted), LONGEST_HOLD_MS)) : undefined;
}

function numberIn(text: string | null | undefined): number | null {
  const number = Number(text?.trim() || Number.NaN);
  return Number.isFinite(number) ? number : null;
}
