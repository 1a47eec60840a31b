import type { CallFailure, LaunchAnswer, Refusal } from './answers.ts';

const ALARM_MS = 60_000;
const LONGEST_HOLD_MS = 600_000;
const LONGEST_MESSAGE = 500;

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

/** Of Azure, where the resource in the URL is wrong. OpenAI says it in words alone, and of a missing file in the same shape. */
const nowhereCodes = new Set<string | null>(['404', 'not_found']);
const nowhereMessage = /^Invalid URL/;

/** Everything that is not certainly a refusal is unknown: the response may run and be billed. */
export function answerToFailedCreate(failure: CallFailure): LaunchAnswer {
  const refusal = refusalOf(failure);
  return refusal ? { kind: 'refused', ...refusal } : { kind: 'unknown', code: unknownCode(failure) };
}

function refusalOf(failure: CallFailure): Refusal | null {
  const { status, headers, connectionCode, stoodBefore } = failure;
  if (status === null)
    return connectionCode !== null && noRouteCodes.has(connectionCode) && !stoodBefore
      ? hold('account', 'no_route', null, connectionCode)
      : null;
  const code = failure.code ?? failure.type ?? `http_${status}`;
  const message = (failure.message ?? '').slice(0, LONGEST_MESSAGE);

  if ((status === 403 || status === 404) && missingModelCodes.has(code)) return hold('model', code, status, message);
  // A wrong key or a blocked network, whatever the body says and whoever wrote it.
  if (status === 401 || status === 403) return hold('account', code, status, message);
  // A gateway's own page says nothing about what lies behind it.
  if (failure.message === null) return null;
  if (status === 503) return code === 'server_is_overloaded' ? rate(code, status, message, headers) : null;
  if (status < 400 || status > 499 || status === 408 || status === 409) return null;
  if (status === 429)
    return quotaCode.test(code) || quotaCode.test(failure.type ?? '')
      ? hold('account', code, status, message)
      : rate(code, status, message, headers);
  if (status === 404 && failure.param === 'model') return hold('model', 'model_not_found', status, message);
  if (status === 404 && (nowhereCodes.has(failure.code) || nowhereMessage.test(message)))
    return hold('account', 'no_such_url', status, message);
  return { code, httpStatus: status, message, next: 'failed' };
}

function hold(of: 'account' | 'model', code: string, httpStatus: number | null, message: string): Refusal {
  return { code, httpStatus, message, next: 'queued', hold: { of, kind: 'alarm', forMs: ALARM_MS } };
}

function rate(code: string, httpStatus: number, message: string, headers: Headers | undefined): Refusal {
  return {
    code,
    httpStatus,
    message,
    next: 'queued',
    hold: { of: 'model', kind: 'rate', forMs: retryAfterMs(headers) },
  };
}

function unknownCode({ status, timedOut, connectionCode }: CallFailure): string {
  if (timedOut) return 'timeout';
  if (status !== null) return `http_${status}`;
  return connectionCode ?? 'connection_lost';
}

/** Seconds or a date, or OpenAI's own header in milliseconds; at most ten minutes. */
export function retryAfterMs(headers: Headers | undefined): number | undefined {
  const precise = Number(headers?.get('retry-after-ms') ?? Number.NaN);
  const coarse = headers?.get('retry-after') ?? null;
  const seconds = coarse === null ? Number.NaN : Number(coarse);
  const wanted = Number.isFinite(precise)
    ? precise
    : Number.isFinite(seconds)
      ? seconds * 1000
      : coarse === null
        ? Number.NaN
        : Date.parse(coarse) - Date.now();
  return Number.isFinite(wanted) ? Math.ceil(Math.min(Math.max(0, wanted), LONGEST_HOLD_MS)) : undefined;
}
