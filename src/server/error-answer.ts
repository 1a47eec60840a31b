import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { HeadstoneError, publicMessage } from '../shared/contract/errors.ts';
import type { Telemetry } from '../shared/runtime/telemetry.ts';
import { linkedUnder } from './base-path.ts';
import { errorBody, errorType, httpStatus } from './error-body.ts';
import { errorPage, isForPeople, sendErrorPage } from './pages/error-page.ts';
import { bareHeaders } from './security-headers.ts';

const RETRY_AFTER_S = 5;

/** Answers every error in OpenAI's shape. A HeadstoneError has a sentence. Any other is not quoted, since it may hold a prompt (I13). */
export function answerErrorWith(telemetry: Telemetry) {
  return (error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply) => {
    if (error instanceof HeadstoneError) return answerHeadstoneError(error, request, reply);
    const status = 'statusCode' in error ? error.statusCode : undefined;
    const isPage = isForPeople(request);
    if (status !== undefined && status >= 400 && status < 500) {
      if (isPage) return sendErrorPage(request, reply, status, clientMistake(error as FastifyError));
      reply.header('x-should-retry', 'false');
      return sendError(reply, status, errorBody(clientMistake(error as FastifyError), null, 'invalid_request_error'));
    }
    telemetry.emit('request_failed', { request_id: request.id, ...placeOf(error) });
    const sentence = `Headstone failed. Its log has more about request ${request.id}.`;
    if (isPage) return sendErrorPage(request, reply, 500, sentence);
    return sendError(reply, 500, errorBody(sentence, null, 'server_error'));
  };
}

function answerHeadstoneError(error: HeadstoneError, request: FastifyRequest, reply: FastifyReply) {
  const status = httpStatus[error.code];
  // Sending the same request again gives the same answer, unless the store was away. A route may know better.
  if (!reply.hasHeader('x-should-retry')) reply.header('x-should-retry', String(error.retryable));
  // Only the operator may learn where the store is.
  const message = request.caller?.admin ? error.message : publicMessage(error);
  if (status === 429) reply.header('retry-after', String(RETRY_AFTER_S));
  if (isForPeople(request)) return sendErrorPage(request, reply, status, message);
  return sendError(reply, status, errorBody(message, error.code, errorType(status), error.param));
}

/** The route may have said already that it sends events or CSV, as one does that fails before the first of them. */
function sendError(reply: FastifyReply, status: number, body: ReturnType<typeof errorBody>): FastifyReply {
  return reply.code(status).type('application/json; charset=utf-8').send(body);
}

export function answerUnknownUrl(request: FastifyRequest, reply: FastifyReply) {
  const path = request.url.split('?')[0];
  if (isForPeople(request)) return sendErrorPage(request, reply, 404, `There is no page ${path} here.`);
  const message = isWebhook(request.method, path)
    ? 'Webhooks are off: set OPENAI_WEBHOOK_SECRET and start the server again.'
    : `There is no ${request.method} ${path} here.`;
  return reply.code(404).send(errorBody(message, 'unknown_url', 'invalid_request_error'));
}

/** True for the URLs that have routes only where webhooks are on. */
function isWebhook(method: string, path: string | undefined): boolean {
  return method === 'POST' && /^\/webhooks\/(openai|azure)$/.test(path ?? '');
}

/** Answers a URL that the router cannot read. No hook has run by then, so nobody is known and no link is under the base path. */
export function answerBadUrlUnder(basePath: string) {
  return (_error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const message = 'This URL is not valid.';
    const [type, body] = isForPeople(request)
      ? ['text/html; charset=utf-8', linkedUnder(basePath, errorPage(null, 404, message))]
      : ['application/json', JSON.stringify(errorBody(message, 'unknown_url', 'invalid_request_error'))];
    void reply.code(404).headers(bareHeaders).type(type).send(body);
  };
}

/** Answers what Node could not read as HTTP, on the bare connection, with the headers that every answer has. */
export function answerBadHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, reason, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'Request Header Fields Too Large', 'The headers are too large.']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request Timeout', 'The request took too long to arrive.']
        : [400, 'Bad Request', 'This is not a valid HTTP request.'];
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

/** Answers the header `expect` with anything but `100-continue`, which Node leaves to us. */
export function answerExpectation(_request: IncomingMessage, answer: ServerResponse): void {
  const body = errorBody(
    'The server does not support this Expect header. Leave it out.',
    null,
    'invalid_request_error',
  );
  answer
    .writeHead(417, { ...bareHeaders, 'content-type': 'application/json; charset=utf-8' })
    .end(JSON.stringify(body));
}

/** An error's kind and the place where it was thrown. Its message is left out, because it could quote a prompt (I13). */
function placeOf(error: Error): { error: string; at: string } {
  const frame = error.stack?.split('\n').find(line => /^\s+at /.test(line)) ?? '';
  return { error: error.name, at: frame.replace(/^\s+at /, '').replace(/^.*\//, '') };
}

function clientMistake(error: FastifyError): string {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return 'The body is too large. Shorten it, or raise HEADSTONE_MAX_REQUEST_BYTES.';
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return 'The body must be JSON. Send it with the header content-type: application/json.';
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return 'The body is not JSON.';
    default:
      return 'The request could not be read.';
  }
}
