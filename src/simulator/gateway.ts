import type { FastifyReply } from 'fastify';
import { message, responseBody } from './body.ts';
import type { SimulatedResponse } from './response.ts';
import type { GatewayAnswer } from './script.ts';

/** How gateways deviate from OpenAI's API. Each deviation here was reported of a real one. */

export function sendAnswer(reply: FastifyReply, { status, body, type }: GatewayAnswer): FastifyReply {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  reply.hijack();
  const contentType = type ?? (typeof body === 'string' ? 'text/html' : 'application/json');
  reply.raw.writeHead(status, contentType === '' ? {} : { 'content-type': contentType }).end(text);
  return reply;
}

/** The body that is sent, as JSON, with the parts that a read asked for with `include`. */
export function bodyText(response: SimulatedResponse, include: string[] = []): string {
  const body = responseBody(response);
  response.shownUsage = body.usage ?? response.shownUsage;
  const { searches, odd_numbers: hasOddNumbers } = response.script;
  const shown = searches ? { ...body, output: withSearch(body.output, include) } : body;
  const text = JSON.stringify(shown);
  if (!hasOddNumbers) return text;
  return text.replace('"temperature":1,', '"temperature":1.0,"x_gateway":{"b":9223372036854775807,"10":1,"9":1},');
}

function withSearch(output: unknown[], include: string[]): unknown[] {
  if (output.length === 0) return output;
  const results = include.includes('file_search_call.results') ? [{ file_id: 'file_1', text: 'Tides rise.' }] : null;
  return [{ id: 'fs_1', type: 'file_search_call', status: 'completed', queries: ['tides'], results }, ...output];
}

/** The whole result, as from a gateway that runs everything in the foreground. */
export function foregroundBody(response: SimulatedResponse): object {
  const status = response.script.foreground;
  const isOver = status === 'completed' || status === 'incomplete';
  const call = { id: 'fc_1', type: 'function_call', call_id: 'call_1', name: 'tides', arguments: '{}' };
  return {
    ...responseBody(response),
    status,
    background: false,
    output: status === 'requires_action' ? [call] : isOver ? [{ ...message(response), status: 'completed' }] : [],
    error: status === 'failed' ? { code: response.script.error_code, message: 'It failed at once.' } : null,
    usage: response.billed,
  };
}

/** The `include` list of a GET, in either notation for lists in a query. */
export function includeOf(query: Record<string, unknown>): string[] {
  return [query['include[]'], query.include].flat().filter(value => typeof value === 'string');
}
