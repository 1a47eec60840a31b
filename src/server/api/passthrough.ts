import { Readable } from 'node:stream';
import replyFrom from '@fastify/reply-from';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Producer } from '../../producer/producer.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import { jobIdSchema } from '../../shared/contract/words.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';
import { answerUnknownUrl } from '../error-answer.ts';
import type { Api } from './schemas.ts';

const OPENAI_URL = 'https://api.openai.com/v1';

/** Calls that leave nothing behind at the provider which another tenant of the same account could read. */
const leavesNothing =
  /^(POST \/v1\/(embeddings|moderations|images\/(generations|edits|variations)|audio\/(speech|transcriptions|translations))|GET \/v1\/models(\/[^/]+)?)$/;

/** What names us, our callers or the way between, and must not reach the provider. */
const ownHeaders = new Set(['authorization', 'api-key', 'cookie', 'host', 'origin', 'idempotency-key']);

export interface PassthroughOptions {
  producer: Producer;
  configuration: Configuration;
  /** True where several tenants have keys. */
  isShared: boolean;
}

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
        if (!isPlainPath(request.url)) return answerUnknownUrl(request, reply);
        if (!this.permits(request)) throw notForTenants();
        return await this.send(request, reply);
      });
    });
  }

  /** A create that is not a background response. A chain may start at a result of ours, and at none that was refused (I1). */
  async sendCreate(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { headstone, ...body } = request.body as Record<string, unknown>;
    if (headstone !== undefined)
      throw new HeadstoneError('unsupported_parameter', 'headstone is for background responses.', {
        param: 'headstone',
      });
    if (typeof body.previous_response_id === 'string')
      body.previous_response_id = await this.producer.predecessor(request.caller.tenant, body.previous_response_id);
    // What is stored under an account that tenants share could be read by the others (I12).
    if (this.isShared && body.store !== false && !request.caller.admin) throw notForTenants('Send store: false.');
    return await this.send(request, reply, body);
  }

  /** For routes of ours that are asked for a response that was never ours. */
  readonly forStrangers = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const { id } = request.params as { id: string };
    if (!this.isOpen || !this.isTrusted(request) || !plainPart.test(id)) return undefined;
    const isJob = jobIdSchema.safeParse(id).success && (await this.producer.get(id)) !== null;
    // A response of ours is not read under the provider's id: that would show what a cancel has refused (I1).
    if (isJob || (await this.producer.store.row(id)) !== null) return undefined;
    return await this.send(request, reply);
  };

  private isTrusted(request: FastifyRequest): boolean {
    return request.caller.admin || !this.isShared;
  }

  private permits(request: FastifyRequest): boolean {
    if (this.isTrusted(request)) return true;
    const path = request.url.split('?')[0];
    if (path === '/v1/chat/completions' && request.method === 'POST') return isUnstored(request.body);
    return leavesNothing.test(`${request.method} ${path}`);
  }

  private async send(request: FastifyRequest, reply: FastifyReply, body?: unknown): Promise<FastifyReply> {
    return reply.from(`${this.baseUrl}${request.url.slice('/v1'.length)}`, {
      ...(body === undefined ? {} : { body }),
      rewriteRequestHeaders: (_request, headers) => ({
        ...Object.fromEntries(
          Object.entries(headers).filter(([name]) => !ownHeaders.has(name) && !name.startsWith('x-forwarded')),
        ),
        authorization: `Bearer ${this.apiKey}`,
      }),
      rewriteHeaders: ({ 'set-cookie': _, ...headers }) => headers,
      onError: passing => {
        void passing.code(502).send({
          error: {
            message: 'The provider did not answer. Whether it did the work is not known.',
            type: 'server_error',
            param: null,
            code: 'upstream_unreachable',
          },
        });
      },
    });
  }
}

/** One part of a path, without what a router on the way could read in another way. */
const plainPart = /^(?!\.{1,2}$)[\w.:-]+$/;

/**
 * What means another path to us than to the next server could lead around our own routes: to a response that was
 * refused (I1). Responses have all their routes here.
 */
function isPlainPath(url: string): boolean {
  const [path = '', query = ''] = url.split('?', 2);
  const parts = path.split('/').slice(2);
  return parts.every(part => plainPart.test(part)) && parts[0]?.toLowerCase() !== 'responses' && isDecodable(query);
}

function isDecodable(query: string): boolean {
  try {
    decodeURIComponent(query);
    return true;
  } catch {
    return false;
  }
}

/** A body that we could not read could say anything. */
function isUnstored(body: unknown): boolean {
  const isRead = typeof body === 'object' && body !== null && !(body instanceof Readable);
  return isRead && (body as { store?: unknown }).store !== true;
}

function notForTenants(advice = 'Ask with an admin key.'): HeadstoneError {
  return new HeadstoneError(
    'insufficient_permissions',
    `This call would use what all tenants share at the provider, so it is not passed on. ${advice}`,
  );
}
