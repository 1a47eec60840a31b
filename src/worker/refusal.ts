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

/** Whoever answers so has not passed the request on, whatever stands in the body. */
const turnedAway = new Set([413, 414, 429, 431]);

/** Everything that is not certainly a refusal is unknown: the response may run and be billed. */
export function answerToFailedCreate(failure: CallFailure): LaunchAnswer {
  const refusal = refusalOf(failure);
  if (refusal) return { kind: 'refused', ...refusal };
  const { status, message } = failure;
  return {
    kind: 'unknown',
    code: unknownCode(failure),
    ...(status === null ? {} : { httpStatus: status }),
    ...(message === null ? {} : { message }),
  };
}

function refusalOf(failure: CallFailure): Refusal | null {
  const { status, headers, connectionCode, stoodBefore } = failure;
  if (status === null) {
    const neverStood = connectionCode !== null && noRouteCodes.has(connectionCode) && !stoodBefore;
    return neverStood ? held('no_route', null, connectionCode, { of: 'account', lifted_by: 'answer' }) : null;
  }
  const code = failure.code ?? failure.type ?? `http_${status}`;
  const message = failure.message ?? '';

  if ((status === 403 || status === 404) && missingModelCodes.has(code))
    return held(code, status, message, { of: 'model' });
  // A wrong key, whatever the body says and whoever wrote it.
  if (status === 401) return held(code, status, message, { of: 'access', why: 'key', lifted_by: 'entry' });
  // A key without rights, a blocked network; or a firewall on the way that dislikes this one prompt.
  if (status === 403) return held(code, status, message, { of: 'access', why: 'content', lifted_by: 'entry' });
  // A gateway's own page says nothing about what lies behind it.
  if (failure.message === null && !turnedAway.has(status)) return null;
  if (status === 503) return code === 'server_is_overloaded' ? rateLimited(code, status, message, headers) : null;
  if (status < 400 || status > 499 || status === 408 || status === 409) return null;
  if (status === 429) return refusalOfRate(failure, code, message);
  if (status === 404 && (failure.param === 'model' || missingModelMessage.test(message)))
    return held('model_not_found', status, message, { of: 'model' });
  if (status === 404 && nowhereMessage.test(message))
    return held('no_such_url', status, message, { of: 'account', lifted_by: 'entry' });
  return { code, httpStatus: status, message: message || `The provider answered ${status}.`, next: 'failed' };
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
  return {
    code,
    httpStatus,
    message,
    next: 'queued',
    hold: { of: 'model', kind: 'rate', for_ms: retryAfterMs(headers) },
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
