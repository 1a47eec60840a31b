import type { Producer } from '../producer/producer.ts';
import { HeadstoneError } from '../shared/contract/errors.ts';
import { reservedNameIn } from '../shared/contract/request.ts';
import { tenantSchema } from '../shared/contract/words.ts';
import { withMembers } from '../shared/runtime/json-members.ts';
import type { Api } from './api/schemas.ts';
import { errorBody, errorType, httpStatus } from './error-body.ts';
import { type Call, methodOf, readBody, unlessGivenUp, urlOf } from './fetch-call.ts';
import { DISCONNECT_HEADER, UPGRADE_HEADER, Upgrade } from './upgrade/upgrade.ts';

export interface FetchOptions {
  /** The tenant of the jobs. Default: `default`. */
  tenant?: string;
  /** True makes creates without `background` jobs, too: the call waits for the outcome, and an abort cancels. Default: false. */
  upgrade?: boolean;
  /** The fetch for everything that is not a background response. Default: the global one. */
  fetch?: typeof fetch;
}

/**
 * A fetch for the openai client: `new OpenAI({ fetch: createFetch(producer) })`. The app's create, retrieve and cancel stay as
 * they are. Background responses become jobs, and everything else goes on to the real fetch. Throws if `tenant` is not valid.
 */
export function createFetch(producer: Producer, options: FetchOptions = {}): typeof fetch {
  const tenant = tenantSchema.parse(options.tenant ?? 'default');
  const realFetch = options.fetch ?? globalThis.fetch;
  const upgrade = new Upgrade(options.upgrade === true);
  let routes: Promise<Api> | undefined;

  return async (input, init) => {
    try {
      return await route([input, init]);
    } catch (error) {
      if (error instanceof HeadstoneError) return errorAnswer(error);
      throw error;
    }
  };

  async function route(call: Call): Promise<Response> {
    const url = urlOf(call);
    const asked = url ? askedOf(url.pathname) : [];
    if (!url || asked.length === 0) return await realFetch(...call);
    // Other POSTs to the collection are about a create, like /responses/input_tokens, or make something of one, like /compact.
    const isCreate = asked.some(({ id }) => id === undefined);
    const isLikeOne = methodOf(call) === 'POST' && asked.some(({ action }) => action === '');
    if (!isLikeOne) {
      const own = await unlessGivenUp(call, findOwn(asked));
      if (!own) return await realFetch(...call);
      return await unlessGivenUp(
        call,
        answer(call, `/v1/responses/${encodeURIComponent(own.id)}${own.action}${url.search}`),
      );
    }
    const { unread, text } = await readBody(call);
    const wish = readJson(text);
    const isBackground = wish?.background === true;
    if (!isCreate || !wish || !(isBackground || upgrade.isWanted(Object.fromEntries(headersOf(unread)))))
      return await passOn(unread, text, wish);
    const obstacle = isBackground ? undefined : upgrade.obstacleTo(wish, tenant);
    if (obstacle !== undefined) return unable(await passOn(unread, text, wish), `0; ${obstacle}`);
    const answered = await unlessGivenUp(unread, answer(unread, `/v1/responses${url.search}`));
    // The job was refused only because it ran in the background.
    const refused = answered.headers.get(UPGRADE_HEADER);
    return refused?.startsWith('0') ? unable(await passOn(unread, text, wish), refused) : answered;
  }

  /** The first reading of the path that names a response of a job. */
  async function findOwn(asked: Asked[]): Promise<{ id: string; action: string } | null> {
    for (const { id, action } of asked) if (id !== undefined && (await producer.isOurs(id))) return { id, action };
    return null;
  }

  async function answer(call: Call, path: string): Promise<Response> {
    // The routes need fastify, which an app that uses no background response does not load.
    const { inject, openRoutes } = await import('./in-process.ts');
    routes ??= openRoutes(producer, tenant, options.upgrade === true);
    return await inject(await routes, call, path);
  }

  /** Passes on a create that runs in the foreground. It may continue a job's result, but not one that was refused (I1). */
  async function passOn(call: Call, text: string, wish: Wish | undefined): Promise<Response> {
    const reserved = wish && (reservedNameIn(wish) ?? reservedNameIn(wish.metadata ?? {}));
    if (reserved !== undefined) throw reservedName(reserved);
    await unlessGivenUp(call, producer.assertReferences(tenant, wish?.input));
    const previous = wish?.previous_response_id;
    const headers = headersOf(call);
    if (typeof previous !== 'string' && !ownHeaders.some(name => headers.has(name))) return await realFetch(...call);
    for (const name of [...ownHeaders, 'content-length']) headers.delete(name);
    const [input, init] = call;
    const continued =
      typeof previous === 'string'
        ? { previous_response_id: JSON.stringify(await unlessGivenUp(call, producer.predecessor(tenant, previous))) }
        : {};
    return await realFetch(input, { ...init, headers, body: withMembers(text, continued) });
  }
}

/** The headers of a call, as a copy. */
function headersOf([input, init]: Call): Headers {
  return new Headers(init?.headers ?? (typeof input === 'object' && 'headers' in input ? input.headers : {}));
}

/** Headers for Headstone, which no provider has to see. */
const ownHeaders = [UPGRADE_HEADER, DISCONNECT_HEADER];

/** The provider's answer to a create that could not become a job, with the reason. */
function unable(answer: Response, why: string): Response {
  const headers = new Headers(answer.headers);
  headers.set(UPGRADE_HEADER, why);
  const { status, statusText, url } = answer;
  const marked = new Response(answer.body, { status, statusText, headers });
  // A response that is made has no URL of its own.
  return Object.defineProperty(marked, 'url', { value: url });
}

/** The error as the server would answer it, so that the app's client knows what to do. */
function errorAnswer(error: HeadstoneError): Response {
  const status = httpStatus[error.code];
  const body = errorBody(error.message, error.code, errorType(status), error.param);
  return Response.json(body, { status, headers: { 'x-should-retry': String(error.retryable) } });
}

interface Asked {
  /** Undefined for the collection. */
  id: string | undefined;
  action: string;
}

/**
 * Every reading of a path that names responses, however it is spelled. The provider must not be asked for a response of a job,
 * not even under the provider's id (I1). A base URL may have a segment `responses` too, and the word is a valid id.
 */
function askedOf(pathname: string): Asked[] {
  const parts = decoded(pathname)
    .split('/')
    .map(part => part.replace(/[;?#].*$/s, '').trim())
    .filter(part => part !== '');
  return parts.flatMap((part, position) => {
    if (part.toLowerCase() !== 'responses') return [];
    const [id, ...rest] = parts.slice(position + 1);
    return [{ id, action: rest.map(one => `/${encodeURIComponent(one)}`).join('') }];
  });
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

interface Wish extends Record<string, unknown> {
  background?: unknown;
  previous_response_id?: unknown;
  input?: unknown;
  metadata?: object | null;
}

function reservedName(name: string): HeadstoneError {
  return new HeadstoneError(
    'unsupported_parameter',
    `${name.slice(0, 64)} must be left out here. Names that start with "headstone" are for background responses.`,
    { param: name.slice(0, 64) },
  );
}

function readJson(text: string): Wish | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Wish) : undefined;
  } catch {
    return undefined;
  }
}
