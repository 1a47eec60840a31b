import replyFrom from '@fastify/reply-from';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Producer } from '../../producer/producer.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import { disguisedNameIn, reservedNameIn } from '../../shared/contract/request.ts';
import { withMembers } from '../../shared/runtime/json-members.ts';
import { withoutLastSlashes } from '../../shared/runtime/last-slashes.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';
import type { Caller } from '../access/key-ring.ts';
import { sharesAccount } from '../access/permissions.ts';
import type { Api } from '../api/schemas.ts';
import { answerUnknownUrl } from '../error-answer.ts';
import { errorBody } from '../error-body.ts';
import { headersForCaller, headersForProvider } from './headers.ts';
import {
  assertNothingShared,
  assertUnsharedChat,
  assertUnsharedCreate,
  isHarmlessCall,
  notForTenants,
} from './shared-account.ts';

const OPENAI_URL = 'https://api.openai.com/v1';
const ROOT = '/v1/';

export interface PassthroughOptions {
  producer: Producer;
  configuration: Configuration;
  /** True if several tenants have keys. */
  severalHaveKeys: boolean;
}

type Body = Record<string, unknown>;

/** Passes on what is not a background response, under the server's key, if HEADSTONE_PASSTHROUGH is 1. */
export class Passthrough {
  readonly isOpen: boolean;
  private readonly producer: Producer;
  private readonly baseUrl: string;
  private readonly apiKey: string;
  private readonly severalHaveKeys: boolean;

  constructor({ producer, configuration, severalHaveKeys }: PassthroughOptions) {
    const { passthrough, openaiApiKey, openaiBaseUrl } = configuration;
    if (passthrough && openaiApiKey === undefined)
      throw new HeadstoneError(
        'configuration',
        'HEADSTONE_PASSTHROUGH=1 needs the provider’s key. Set OPENAI_API_KEY for the server too.',
      );
    this.isOpen = passthrough;
    this.producer = producer;
    this.baseUrl = withoutLastSlashes(openaiBaseUrl ?? OPENAI_URL);
    this.apiKey = openaiApiKey ?? '';
    this.severalHaveKeys = severalHaveKeys;
  }

  /** Adds a route for everything under /v1 that has none. */
  async register(app: Api): Promise<void> {
    if (!this.isOpen) return;
    // A call is passed on once. Whether to pay for another is the caller's decision (I6).
    await app.register(replyFrom, { maxRetriesOn503: 0, retryMethods: [], disableCache: true });
    await app.register(async scope => {
      // Files and audio are streamed through.
      scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
      scope.all('/v1/*', { schema: { hide: true } }, async (request, reply) => {
        if (!isOrdinaryUrl(request.url)) return answerUnknownUrl(request, reply);
        const body = (await this.sharesAccount(request.caller)) ? bodyForTenant(request) : request.rawBody;
        return await this.send(request, reply, body);
      });
    });
  }

  /** Passes on a create that is not a background response. It may continue a job's result, but not one that was refused (I1). */
  async sendCreate(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { caller, rawBody = '{}' } = request;
    const body = request.body as Body;
    const reserved = reservedNameIn(body) ?? reservedNameIn(objectIn(body.metadata));
    if (reserved !== undefined) throw forBackgroundAlone(reserved);
    if (body.background !== undefined && body.background !== null && body.background !== false)
      throw new HeadstoneError('invalid_request', 'background must be true, false or left out.', {
        param: 'background',
      });
    const disguised = disguisedNameIn(body);
    if (disguised !== undefined) throw misspelt(disguised);
    const sharesAccount = await this.sharesAccount(caller);
    if (sharesAccount) assertUnsharedCreate(body);
    await this.producer.assertReferences(caller.tenant, body.input, sharesAccount);
    const previous = await this.predecessorOf(body.previous_response_id, caller.tenant, sharesAccount);
    // The body is written anew in any case, so that a name that came twice is sent once, as it was checked.
    const change = previous === undefined ? {} : { previous_response_id: JSON.stringify(previous) };
    return await this.send(request, reply, withMembers(rawBody, change));
  }

  /** A hook for the routes of responses: it passes on a request for a response that Headstone does not know. */
  readonly passOnUnknown = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const { id } = request.params as { id: string };
    if (!this.isOpen || !plainPart.test(id) || (await this.sharesAccount(request.caller))) return undefined;
    // A job's response must not be read under the provider's id either: that would show what a cancel has refused (I1).
    if (await this.producer.isOurs(id)) return undefined;
    return await this.send(request, reply, request.rawBody);
  };

  async sharesAccount(caller: Caller): Promise<boolean> {
    return await sharesAccount(caller, this.producer, this.severalHaveKeys);
  }

  private async predecessorOf(previous: unknown, tenant: string, sharesAccount: boolean): Promise<string | undefined> {
    if (previous === undefined || previous === null) return undefined;
    if (typeof previous !== 'string')
      throw new HeadstoneError('invalid_request', 'previous_response_id must be the id of a response.', {
        param: 'previous_response_id',
      });
    return await this.producer.predecessor(tenant, previous, sharesAccount);
  }

  private async send(request: FastifyRequest, reply: FastifyReply, body?: string): Promise<FastifyReply> {
    // The URL was decoded and written anew before it was routed, so the provider receives the URL that was checked.
    if (!request.url.startsWith(ROOT)) return answerUnknownUrl(request, reply);
    return reply.from(`${this.baseUrl}/${request.url.slice(ROOT.length)}`, {
      ...(body === undefined ? {} : { body, contentType: 'application/json' }),
      rewriteRequestHeaders: (_request, headers) => headersForProvider(headers, this.apiKey),
      rewriteHeaders: headers => headersForCaller(headers),
      onError: passing => {
        void passing
          .code(502)
          .send(
            errorBody(
              'The provider did not answer. Whether it did the work is not known.',
              'upstream_unreachable',
              'server_error',
            ),
          );
      },
    });
  }
}

/** The body for one of several tenants of an account. Throws `insufficient_permissions` if the call may not be passed on. */
function bodyForTenant({ method, url, headers, body, rawBody }: FastifyRequest): string | undefined {
  const path = url.split('?')[0] ?? '';
  if (method === 'POST' && path === '/v1/chat/completions') {
    // A body that was not read could say anything.
    if (rawBody === undefined) throw notForTenants('Send it as JSON.');
    assertUnsharedChat(objectIn(body));
    return withMembers(rawBody, { store: 'false' });
  }
  if (!isHarmlessCall(method, path)) throw notForTenants();
  if (method === 'GET') return undefined;
  // Files come as forms. Anything else that is not JSON could be read only by the provider.
  if (rawBody === undefined && !isForm(headers['content-type'])) throw notForTenants('Send it as JSON.');
  if (rawBody === undefined) return undefined;
  assertNothingShared(body);
  return withMembers(rawBody, {});
}

function isForm(type: string | undefined): boolean {
  return /^multipart\/form-data\s*;/i.test(type ?? '');
}

function misspelt(name: string): HeadstoneError {
  return new HeadstoneError('invalid_request', `${name.slice(0, 64)} must be lower case.`, {
    param: name.slice(0, 64),
  });
}

function objectIn(value: unknown): Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Body) : {};
}

function forBackgroundAlone(name: string): HeadstoneError {
  return new HeadstoneError(
    'unsupported_parameter',
    `${name.slice(0, 64)} must be left out here. Names that start with "headstone" are for background responses.`,
    { param: name.slice(0, 64) },
  );
}

/** A part of a path that every router reads in the same way. */
const plainPart = /^(?!\.{1,2}$)[\w.:-]+$/;

/** False for a URL that another server could read as another path, and so reach a route around this server's own (I1). */
function isOrdinaryUrl(url: string): boolean {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const parts = path.slice(ROOT.length).split('/').map(decodeURIComponent);
  const isPlain = parts.every(part => plainPart.test(part) && part.toLowerCase() !== 'responses');
  return isPlain && isDecodable(query);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
