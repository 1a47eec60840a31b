import type { Producer } from '../producer/producer.ts';
import { HeadstoneError } from '../shared/contract/errors.ts';
import { reservedNameIn } from '../shared/contract/request.ts';
import { tenantSchema } from '../shared/contract/words.ts';
import { withMembers } from '../shared/runtime/json-members.ts';
import { createRoute } from './api/create-response.ts';
import { responseRoutes } from './api/responses.ts';
import type { Api } from './api/schemas.ts';
import { StreamReaders } from './api/stream-readers.ts';
import { errorBody, httpStatus } from './error-answer.ts';
import { type Call, methodOf, readBody, unlessGivenUp, urlOf } from './fetch-call.ts';
import { inject } from './inject.ts';
import { Passthrough } from './passthrough/passthrough.ts';
import { openRouter } from './router.ts';

export interface FetchOptions {
  /** Whose jobs these are. Default: `default`. */
  tenant?: string;
  /** For what is not a background response. Default: the global one. */
  fetch?: typeof fetch;
}

/**
 * The front door in process: `new OpenAI({ fetch: createFetch(producer) })`, and the app's create, retrieve loop and cancel
 * stay as they are. Background responses become jobs; everything else goes on to the real fetch.
 */
export function createFetch(producer: Producer, options: FetchOptions = {}): typeof fetch {
  const tenant = tenantSchema.parse(options.tenant ?? 'default');
  const realFetch = options.fetch ?? globalThis.fetch;
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
    // Beside creates: what asks about one, like /responses/input_tokens, or makes something of one, like /responses/compact.
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
    if (!isCreate || wish?.background !== true) return await passOn(unread, text, wish);
    return await unlessGivenUp(unread, answer(unread, `/v1/responses${url.search}`));
  }

  /** The first reading of a path that names a response of ours. */
  async function findOwn(asked: Asked[]): Promise<{ id: string; action: string } | null> {
    for (const { id, action } of asked) if (id !== undefined && (await isOurs(id))) return { id, action };
    return null;
  }

  async function answer(call: Call, path: string): Promise<Response> {
    routes ??= openRoutes();
    return await inject(await routes, call, path);
  }

  async function openRoutes(): Promise<Api> {
    const { configuration, telemetry } = producer;
    const app = openRouter(configuration, telemetry);
    app.addHook('onRequest', async request => {
      request.caller = { keyName: null, tenant, admin: false };
    });
    const passthrough = new Passthrough({
      producer,
      configuration: { ...configuration, passthrough: false },
      isShared: false,
    });
    // The app's own readers are the app's to count.
    const readers = new StreamReaders({ process: Number.POSITIVE_INFINITY, tenant: Number.POSITIVE_INFINITY });
    createRoute(app, { producer, passthrough, readers });
    responseRoutes(app, { producer, passthrough, readers });
    await app.ready();
    return app;
  }

  /** A response of ours is never asked for at the provider, not even under the provider's id (I1). */
  async function isOurs(id: string): Promise<boolean> {
    const known = await producer.locate(id, { tenant, seesAll: true });
    return known !== null || (await producer.store.row(id)) !== null;
  }

  /** A create that runs in the foreground may go on from a result of ours, and from none that was refused (I1). */
  async function passOn(call: Call, text: string, wish: Wish | undefined): Promise<Response> {
    const reserved = wish && (reservedNameIn(wish) ?? reservedNameIn(wish.metadata ?? {}));
    if (reserved !== undefined) throw reservedName(reserved);
    await unlessGivenUp(call, producer.assertReferences(tenant, wish?.input));
    if (typeof wish?.previous_response_id !== 'string') return await realFetch(...call);
    const previous_response_id = await unlessGivenUp(call, producer.predecessor(tenant, wish.previous_response_id));
    const [input, init] = call;
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : {}));
    headers.delete('content-length');
    return await realFetch(input, {
      ...init,
      headers,
      body: withMembers(text, { previous_response_id: JSON.stringify(previous_response_id) }),
    });
  }
}

/** As the server would say it: the app's client knows what to do with that. */
function errorAnswer(error: HeadstoneError): Response {
  const status = httpStatus[error.code];
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  const body = errorBody(error.message, error.code, type, error.param);
  return Response.json(body, { status, headers: { 'x-should-retry': String(error.retryable) } });
}

interface Asked {
  /** Undefined for the collection itself. */
  id: string | undefined;
  action: string;
}

/**
 * Every reading of a path that names responses, however it is spelled: what belongs to a response of ours must not be asked
 * for at the provider (I1). A base URL may have segments of that name too, and it is a legal id.
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

interface Wish {
  background?: unknown;
  previous_response_id?: unknown;
  input?: unknown;
  metadata?: object | null;
}

function reservedName(name: string): HeadstoneError {
  return new HeadstoneError(
    'unsupported_parameter',
    `${name.slice(0, 64)} must be left out here: names that start with "headstone" are for background responses.`,
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
