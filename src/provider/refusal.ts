import type { Hold } from '../shared/contract/holds.ts';
import type { CallFailure, LaunchAnswer, Refusal } from './answers.ts';

const ALARM_MS = 60_000;
const LONGEST_HOLD_MS = 600_000;

/** Codes of a connection that was never established, so that nothing was sent. */
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

/** Limits that do not pass by waiting. Somebody has to look after the account. */
const quotaCode =
  /^(insufficient_quota|credit_balance_exhausted|organization_usage_limit_exceeded|.+_spend_limit_exceeded)$/;

const missingModelCodes = new Set(['model_not_found', 'DeploymentNotFound']);

/** OpenAI and Azure say this if the URL is wrong. Only the words tell, because a missing file or model has the same codes. */
const nowhereMessage = /^(Invalid URL|Resource not found)/i;

/** LiteLLM and vLLM report a missing model only in words. Two looks take time by their length, and one by the square of that. */
function saysMissing(message: string): boolean {
  const at = message.search(/\bmodel\b/i);
  return at >= 0 && /\b(not exist|not found)\b/i.test(message.slice(at));
}

/** A rate limit that never passes, because the request is larger than the limit. */
const neverPasses = /request too large|must be reduced/i;

/** A rate limit that says when to come back will pass. */
const namesAWait = /try again in/i;

/** A server that answers with one of these has not passed the request on, whatever its body says. */
const turnedAway = new Set([413, 414, 429, 431]);

/** A server on the way gave up or wants the request again, so the request may have arrived. */
const undecided = new Set([408, 409, 425, 499]);

/** What a failed create means. Unless it is certainly a refusal it is unknown: the response may run and be billed. */
export function answerToFailedCreate(failure: CallFailure, model: string): LaunchAnswer {
  const refusal = refusalOf(failure, model);
  const { status, message, type, param } = failure;
  if (refusal) return { kind: 'refused', ...refusal, type: type ?? undefined, param: param ?? undefined };
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
    if (!neverStood) return null;
    const message = `The provider cannot be reached (${connectionCode}).`;
    return held('no_route', null, message, { of: 'account', lifted_by: 'answer' });
  }
  const code = failure.code ?? failure.type ?? `http_${status}`;
  const message = failure.message || `The provider answered ${status}.`;

  if ((status === 403 || status === 404) && missingModelCodes.has(code) && speaksOf(model, message))
    return held(code, status, message, { of: 'model', why: 'model' });
  // A 401 means that the key is wrong, whatever its body says.
  if (status === 401) return held(code, status, message, { of: 'access', why: 'key', lifted_by: 'entry' });
  // The key lacks permissions, the network is blocked, or a firewall on the way dislikes this prompt.
  if (status === 403) return held(code, status, message, { of: 'access', why: 'content', lifted_by: 'entry' });
  // A gateway's page says nothing about the provider behind it.
  if (failure.message === null && !turnedAway.has(status)) return null;
  if (status === 503) return code === 'server_is_overloaded' ? rateLimited(code, status, message, headers) : null;
  if (status < 400 || status > 499 || undecided.has(status)) return null;
  // OpenRouter and other gateways that sell credits answer 402 if none are left.
  if (status === 402) return held(code, status, message, { of: 'account' });
  if (status === 429) return refusalOfRate(failure, code, message);
  const saysSo =
    failure.param === 'model' || (failure.param === null && saysMissing(message) && message.includes(model));
  if (status === 404 && saysSo) return held('model_not_found', status, message, { of: 'model', why: 'model' });
  if (status === 404 && nowhereMessage.test(message))
    return held('no_such_url', status, message, { of: 'account', lifted_by: 'entry' });
  return { code, httpStatus: status, message, next: 'failed' };
}

/** False if the message is about the model of a tool, which only this job needs. */
function speaksOf(model: string, message: string): boolean {
  return message.includes(model) || !saysMissing(message);
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

/** Reads OpenAI's header in milliseconds, or `retry-after` as seconds or a date. At most ten minutes. */
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
