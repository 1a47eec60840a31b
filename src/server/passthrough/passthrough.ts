import replyFrom from '@fastify/reply-from';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Producer } from '../../producer/producer.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import { reservedNameIn } from '../../shared/contract/request.ts';
import { withMembers } from '../../shared/runtime/json-members.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';
import type { Caller } from '../access/key-ring.ts';
import type { Api } from '../api/schemas.ts';
import { answerUnknownUrl, errorBody } from '../error-answer.ts';
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
  /** True where several tenants have keys. */
  isShared: boolean;
}

type Body = Record<string, unknown>;

/** With HEADSTONE_PASSTHROUGH=1: what is not a background response goes on to the provider, under our key. */
export class Passthrough {
  readonly isOpen: boolean;
  private readonly producer: Producer;
  private readonly baseUrl: string;
  private readonly apiKey: string;
  private readonly isShared: boolean;

  constructor({ producer, configuration, isShared }: PassthroughOptions) {
    const { passthrough, openaiApiKey, openaiBaseUrl } = configuration;
    if (passthrough && openaiApiKey === undefined)
      throw new HeadstoneError(
        'configuration',
        'HEADSTONE_PASSTHROUGH=1 needs the provider’s key: set OPENAI_API_KEY for the server too.',
      );
    this.isOpen = passthrough;
    this.producer = producer;
    this.baseUrl = (openaiBaseUrl ?? OPENAI_URL).replace(/\/+$/, '');
    this.apiKey = openaiApiKey ?? '';
    this.isShared = isShared;
  }

  /** Everything under /v1 that has no route of its own. */
  async register(app: Api): Promise<void> {
    if (!this.isOpen) return;
    // A call is passed on once: whether to pay for another is the caller's own decision (I6).
    await app.register(replyFrom, { maxRetriesOn503: 0, retryMethods: [], disableCache: true });
    await app.register(async scope => {
      // Files and audio go through as they come.
      scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
      scope.all('/v1/*', { schema: { hide: true } }, async (request, reply) => {
        if (!isOrdinaryUrl(request.url)) return answerUnknownUrl(request, reply);
        const body = this.sharesAccount(request.caller) ? bodyForTenant(request) : request.rawBody;
        return await this.send(request, reply, body);
      });
    });
  }

  /** A create that is not a background response. A chain may start at a result of ours, and at none that was refused (I1). */
  async sendCreate(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { caller, rawBody = '{}' } = request;
    const body = request.body as Body;
    const reserved = reservedNameIn(body) ?? reservedNameIn(objectIn(body.metadata));
    if (reserved !== undefined) throw forBackgroundAlone(reserved);
    const sharesAccount = this.sharesAccount(caller);
    if (sharesAccount) assertUnsharedCreate(body);
    await this.producer.assertReferences(caller.tenant, body.input, sharesAccount);
    const previous = await this.predecessorOf(body.previous_response_id, caller);
    return await this.send(
      request,
      reply,
      previous === undefined ? rawBody : withMembers(rawBody, { previous_response_id: JSON.stringify(previous) }),
    );
  }

  /** For routes of ours that are asked for a response that was never ours. */
  readonly passOnUnknown = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const { id } = request.params as { id: string };
    if (!this.isOpen || this.sharesAccount(request.caller) || !plainPart.test(id)) return undefined;
    const job = await this.producer.locate(id, { tenant: request.caller.tenant, seesAll: true });
    // A response of ours is not read under the provider's id: that would show what a cancel has refused (I1).
    if (job !== null || (await this.producer.store.row(id)) !== null) return undefined;
    return await this.send(request, reply, request.rawBody);
  };

  /** True for one of several tenants who share an account at the provider. */
  sharesAccount({ admin }: Caller): boolean {
    return this.isShared && !admin;
  }

  private async predecessorOf(previous: unknown, caller: Caller): Promise<string | undefined> {
    if (previous === undefined || previous === null) return undefined;
    if (typeof previous !== 'string')
      throw new HeadstoneError('invalid_request', 'previous_response_id must be the id of a response.', {
        param: 'previous_response_id',
      });
    const known = await this.producer.predecessor(caller.tenant, previous);
    const isOwn = known !== previous || (await this.producer.store.row(previous)) !== null;
    if (!isOwn && this.sharesAccount(caller))
      throw notForTenants('previous_response_id names no finished result of this tenant.');
    return known;
  }

  private async send(request: FastifyRequest, reply: FastifyReply, body?: string): Promise<FastifyReply> {
    // The URL was decoded and written anew before it was routed: what we judged is what the provider is asked.
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

/** The body for one of several tenants of an account, or an error that says why it does not pass. */
function bodyForTenant({ method, url, body, rawBody }: FastifyRequest): string | undefined {
  const path = url.split('?')[0] ?? '';
  if (method === 'POST' && path === '/v1/chat/completions') {
    // A body that we could not read could say anything.
    if (rawBody === undefined) throw notForTenants('Send it as JSON.');
    assertUnsharedChat(objectIn(body));
    return withMembers(rawBody, { store: 'false' });
  }
  if (!isHarmlessCall(method, path)) throw notForTenants();
  if (rawBody !== undefined) assertNothingShared(body);
  return rawBody;
}

function objectIn(value: unknown): Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Body) : {};
}

function forBackgroundAlone(name: string): HeadstoneError {
  return new HeadstoneError(
    'unsupported_parameter',
    `${name.slice(0, 64)} must be left out here: names that start with "headstone" are for background responses.`,
    { param: name.slice(0, 64) },
  );
}

/** One part of a path, without what a router on the way could read in another way. */
const plainPart = /^(?!\.{1,2}$)[\w.:-]+$/;

/** False for what another server could read as another path, which could lead around our own routes (I1). */
function isOrdinaryUrl(url: string): boolean {
  const [path = '', query = ''] = url.split('?', 2);
  const parts = path.slice(ROOT.length).split('/').map(decodeURIComponent);
  const isPlain = parts.every(part => plainPart.test(part)) && parts[0]?.toLowerCase() !== 'responses';
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
