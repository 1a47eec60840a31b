import type { FastifyInstance } from 'fastify';
import { HeadstoneError } from '../shared/contract/errors.ts';

/** Room for a JSON body around the request that HEADSTONE_MAX_REQUEST_BYTES speaks of. */
export const BODY_ALLOWANCE_BYTES = 16_384;

export const MOST_HEADER_BYTES = 16_384;

/** For a whole request to arrive: who sends a byte a minute holds no connection for ever. */
export const REQUEST_MS = 60_000;

/** OpenAI's own bodies are far flatter; what is written in the recursion of a parser must not reach one. */
const MOST_NESTING = 100;

/** JSON bodies: bounded in depth, and a body may be missing, because the openai clients send a cancel without one. */
export function readBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = String(body);
    if (text === '') done(null, undefined);
    else if (isNestedTooDeep(text))
      done(new HeadstoneError('invalid_request', `The body is nested deeper than ${MOST_NESTING} levels.`));
    else parseJson(request, text, done);
  });
}

function isNestedTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let position = 0; position < text.length; position += 1) {
    const character = text[position];
    if (inString) {
      if (character === '\\') position += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') {
      depth += 1;
      if (depth > MOST_NESTING) return true;
    } else if (character === '}' || character === ']') depth -= 1;
  }
  return false;
}
