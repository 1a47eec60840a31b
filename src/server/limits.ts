import type { FastifyInstance } from 'fastify';
import { HeadstoneError } from '../shared/contract/errors.ts';

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
    const { depth, values, field } = measure(text, mostValues);
    if (depth > MOST_NESTING) return done(tooMuch(field, `is nested deeper than ${MOST_NESTING} levels`));
    if (values > mostValues) return done(tooMuch(field, `has more than ${mostValues} values in it`));
    request.rawBody = text;
    return parseJson(request, text, (error, value) => {
      const isForged = typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__');
      done(error ?? (isForged ? tooMuch('the request', 'must not have a field called __proto__') : null), value);
    });
  });
}

const LONGEST_NAME = 64;

function tooMuch(field: string, problem: string): HeadstoneError {
  const name = field.slice(0, LONGEST_NAME) || 'the request';
  return new HeadstoneError('invalid_request', `${name} ${problem}.`, { param: name });
}

const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const OPENING = new Set([91, 123]);
const CLOSING = new Set([93, 125]);

interface Measure {
  depth: number;
  values: number;
  /** The body's field that was read last. */
  field: string;
}

/** Measures a body's depth and number of values. It stops where either is too much. */
function measure(text: string, mostValues: number): Measure {
  let depth = 0;
  let deepest = 0;
  let values = 1;
  let inString = false;
  // The position after the last brace or comma of the outermost object, where a field's name begins.
  let nameAt = 0;
  for (let position = 0; position < text.length; position += 1) {
    const code = text.charCodeAt(position);
    if (inString) {
      if (code === BACKSLASH) position += 1;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (code === COMMA) {
      values += 1;
      if (depth === 1) nameAt = position + 1;
    } else if (OPENING.has(code)) {
      depth += 1;
      values += 1;
      deepest = Math.max(deepest, depth);
      if (depth === 1) nameAt = position + 1;
    } else if (CLOSING.has(code)) depth -= 1;
    if (deepest > MOST_NESTING || values > mostValues) break;
  }
  const name = /^\s*"([\w-]*)"/.exec(text.slice(nameAt, nameAt + 2 * LONGEST_NAME));
  return { depth: deepest, values, field: name?.[1] ?? '' };
}
