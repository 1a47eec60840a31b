import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, HeadstoneError, publicMessage } from '../shared/contract/errors.ts';
import type { Telemetry } from '../shared/runtime/telemetry.ts';
import { bareHeaders } from './security-headers.ts';

const RETRY_AFTER_S = 5;

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

export function errorBody(message: string, code: string | null, type: string, param: string | null = null) {
  return { error: { message, type, param, code } };
}

/** Every error in OpenAI's shape. An error of ours has a sentence; anything else says nothing of what it held (I13). */
export function answerErrorWith(telemetry: Telemetry) {
  return (error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply) => {
    if (error instanceof HeadstoneError) return answerOurs(error, request, reply);
    const status = 'statusCode' in error ? error.statusCode : undefined;
    if (status !== undefined && status >= 400 && status < 500)
      return reply
        .code(status)
        .header('x-should-retry', 'false')
        .send(errorBody(clientMistake(error as FastifyError), null, 'invalid_request_error'));
    telemetry.emit('request_failed', { request_id: request.id, ...placeOf(error) });
    return reply
      .code(500)
      .send(errorBody(`Headstone met an error of its own. The request's id is ${request.id}.`, null, 'server_error'));
  };
}

function answerOurs(error: HeadstoneError, request: FastifyRequest, reply: FastifyReply) {
  const status = httpStatus[error.code];
  // A client that sends the same again gets the same, except where the store was away. A route may know better.
  if (!reply.hasHeader('x-should-retry')) reply.header('x-should-retry', String(error.retryable));
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  // Only the operator is told where the store is.
  const message = request.caller?.admin ? error.message : publicMessage(error);
  if (status === 429) reply.header('retry-after', String(RETRY_AFTER_S));
  return reply.code(status).send(errorBody(message, error.code, type, error.param));
}

export function answerUnknownUrl(request: FastifyRequest, reply: FastifyReply) {
  const path = request.url.split('?')[0];
  return reply
    .code(404)
    .send(errorBody(`There is no ${request.method} ${path} here.`, 'unknown_url', 'invalid_request_error'));
}

/** A URL that the router refuses to read, before any hook of ours has run. */
export function answerBadUrl(_error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  void reply
    .code(404)
    .headers(bareHeaders)
    .type('application/json')
    .send(JSON.stringify(errorBody('There is nothing at a URL like this.', 'unknown_url', 'invalid_request_error')));
}

/** What Node could not read as HTTP: answered on the bare connection, with the headers that every answer has. */
export function answerBadHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, reason, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'Request Header Fields Too Large', 'The headers are too large.']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request Timeout', 'The request took too long to arrive.']
        : [400, 'Bad Request', 'This is not a request in HTTP.'];
  const body = JSON.stringify(errorBody(message, null, 'invalid_request_error'));
  const headers = Object.entries({
    ...bareHeaders,
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  });
  if (socket.writable)
    socket.write(
      [`HTTP/1.1 ${status} ${reason}`, ...headers.map(([name, value]) => `${name}: ${value}`), '', body].join('\r\n'),
    );
  socket.destroy(error);
}

/** Where an error was thrown and of which kind it is, without its message: that could quote a prompt (I13). */
function placeOf(error: Error): { error: string; at: string } {
  const frame = error.stack?.split('\n').find(line => /^\s+at /.test(line)) ?? '';
  return { error: error.name, at: frame.replace(/^\s+at /, '').replace(/^.*\//, '') };
}

function clientMistake(error: FastifyError): string {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return 'The body is too large: shorten it, or raise HEADSTONE_MAX_REQUEST_BYTES.';
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return 'The body must be JSON: send the header content-type: application/json.';
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return 'The body is not JSON.';
    default:
      return 'The request could not be read.';
  }
}
