import type { ErrorCode } from '../shared/contract/errors.ts';

/** The HTTP status of each error. */
export const httpStatus: Record<ErrorCode, number> = {
  invalid_request: 400,
  unsupported_parameter: 400,
  insufficient_permissions: 403,
  id_conflict: 409,
  id_taken: 409,
  job_not_found: 404,
  cancellation_not_found: 404,
  result_expired: 410,
  too_many_streams: 429,
  wait_timeout: 504,
  not_durable: 503,
  store_unreachable: 503,
  store_refused: 503,
  store_unsuitable: 503,
  configuration: 500,
};

/** An error in the shape of OpenAI's API. */
export function errorBody(message: string, code: string | null, type: string, param: string | null = null) {
  return { error: { message, type, param, code } };
}

/** OpenAI's type of an error, by its HTTP status. */
export function errorType(status: number): string {
  return status < 500 ? 'invalid_request_error' : 'server_error';
}
