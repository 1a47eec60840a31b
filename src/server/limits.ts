import type { FastifyInstance } from 'fastify';
import { HeadstoneError } from '../shared/contract/errors.ts';
import { LONGEST_NAME, measureJson } from '../shared/runtime/measure-json.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The text of a JSON body, so that it can be passed on unchanged. */
    rawBody?: string;
  }
}

/** What a body may have beyond the request that HEADSTONE_MAX_REQUEST_BYTES bounds. */
export const BODY_ALLOWANCE_BYTES = 16_384;

export const MOST_HEADER_BYTES = 16_384;

/** How long a whole request may take to arrive, so that a slow sender does not keep a connection for ever. */
export const REQUEST_MS = 60_000;

/**
 * How long a connection may be silent in both directions, so that an answer which nobody reads is not kept for ever. A call that
 * is passed on may wait for its provider for longer than the SDK's ten minutes.
 */
export const SILENCE_MS = 900_000;

/** OpenAI's bodies are far flatter. Deeper ones could exhaust the stack of a recursive parser. */
const MOST_NESTING = 100;

/**
 * How many values a body may have for each byte that is allowed: 20,000 in a megabyte. Reading a body of a hundred thousand
 * empty objects would keep every other caller waiting.
 */
const MOST_VALUES_PER_BYTE = 1 / 50;
const FEWEST_VALUES_ALLOWED = 20_000;

/** Reads JSON bodies of bounded depth and number of values. A body may be missing, because openai clients send a cancel without one. */
export function readBodies(app: FastifyInstance, maxRequestBytes: number): void {
  // A tool may describe a field called __proto__ or constructor. The text is passed on unchanged and nothing is merged from it.
  const parseJson = app.getDefaultJsonParser('ignore', 'ignore');
  const mostValues = Math.max(FEWEST_VALUES_ALLOWED, Math.floor(maxRequestBytes * MOST_VALUES_PER_BYTE));
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = String(body);
    if (text === '') return done(null, undefined);
    const { depth, values, field } = measureJson(text, MOST_NESTING, mostValues);
    if (depth > MOST_NESTING) return done(tooMuch(field, `is nested deeper than ${MOST_NESTING} levels`));
    if (values > mostValues) return done(tooMuch(field, `has more than ${mostValues} values in it`));
    request.rawBody = text;
    return parseJson(request, text, (error, value) => {
      const isForged = typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__');
      done(error ?? (isForged ? tooMuch('the request', 'must not have a field called __proto__') : null), value);
    });
  });
}

function tooMuch(field: string, problem: string): HeadstoneError {
  const name = field.slice(0, LONGEST_NAME) || 'the request';
  return new HeadstoneError('invalid_request', `${name} ${problem}.`, { param: name });
}
