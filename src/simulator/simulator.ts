import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { z } from 'zod';
import { pieces, responseBody } from './body.ts';
import { failRead, loseAnswer, notFound, refusal, sendError } from './faults.ts';
import { bodyText, foregroundBody, includeOf, sendAnswer } from './gateway.ts';
import { ledgerBody } from './ledger.ts';
import { type CreateRequest, SimulatedResponse } from './response.ts';
import { parseScript, ScriptError } from './script.ts';
import { streamEvents } from './stream.ts';
import { Webhooks, type WebhookTarget } from './webhooks.ts';
import { wishesOf } from './wishes.ts';

export interface SimulatorOptions {
  /** 0 takes a free port. */
  port: number;
  /** The default is 127.0.0.1. */
  host?: string;
  /** Divides all durations. */
  speed?: number;
  /** Where webhooks are sent; left out, none are. */
  webhooks?: WebhookTarget | undefined;
  /** A clock that the caller controls. The default is the machine's. */
  now?: () => number;
}

export interface Simulator {
  /** The base URL for an openai client. */
  url: string;
  close(): Promise<void>;
}

/** The path parameters of a route. */
const LONGEST_ID = 16_384;

/** The only API key that the simulator refuses. */
export const WRONG_KEY = 'sk-wrong';

const createSchema = z.looseObject({
  /** A stored prompt may name the model instead. */
  model: z.string().default('gpt-5.5'),
  input: z.unknown().optional(),
  background: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  instructions: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  previous_response_id: z.string().nullish(),
  background_options: z.looseObject({ completion_window: z.string().optional() }).nullish(),
  // An invalid bound is ignored, as lenient providers do.
  max_output_tokens: z.number().int().positive().nullish().catch(null),
});

/**
 * An OpenAI-compatible provider that misbehaves on request. It imports nothing from the other folders, so that its ledger,
 * `GET /sim/ledger`, is independent evidence against which tests check Headstone's.
 */
export async function startSimulator({
  port,
  host = '127.0.0.1',
  speed = 1,
  now = Date.now,
  webhooks: target,
}: SimulatorOptions): Promise<Simulator> {
  const responses = new Map<string, SimulatedResponse>();
  const createsSeen = new Map<string, number>();
  const webhooks = target && new Webhooks(target);
  let creates = 0;
  const app = Fastify({
    forceCloseConnections: true,
    bodyLimit: 16 << 20,
    routerOptions: { maxParamLength: LONGEST_ID },
  });

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', `req_${randomUUID().replaceAll('-', '')}`);
    if (request.headers.authorization === `Bearer ${WRONG_KEY}`)
      return sendError(reply, {
        status: 401,
        type: 'invalid_request_error',
        code: 'invalid_api_key',
        message: 'Incorrect API key provided.',
      });
  });

  app.post('/v1/responses', async (request, reply) => {
    creates += 1;
    const parsed = createSchema.safeParse(request.body);
    if (!parsed.success || parsed.data.background !== true)
      return sendError(
        reply,
        invalid('This simulator runs background responses: send model, input and background: true.'),
      );
    const window = parsed.data.background_options?.completion_window ?? 'soonest';
    if (parsed.data.stream && window !== 'soonest')
      return sendError(reply, invalid('stream is not supported with this completion window.'));
    const script = readScript(parsed.data.metadata);
    if (script instanceof ScriptError) return sendError(reply, invalid(script.message));

    const wanted: CreateRequest = {
      model: parsed.data.model,
      input: parsed.data.input ?? '',
      instructions: parsed.data.instructions ?? null,
      metadata: parsed.data.metadata ?? {},
      previousResponseId: parsed.data.previous_response_id ?? null,
      maxOutputTokens: parsed.data.max_output_tokens ?? Number.POSITIVE_INFINITY,
      backgroundOptions: parsed.data.background_options ?? null,
      wishes: wishesOf(parsed.data),
      recalled: recall(parsed.data, responses),
    };
    // Requests with the same prompt and script are tries of one request, and are counted together.
    const identity = JSON.stringify([wanted.model, wanted.input, wanted.metadata.sim]);
    const tries = (createsSeen.get(identity) ?? 0) + 1;
    createsSeen.set(identity, tries);
    await sleep(script.create_ms / speed);
    const fault = tries <= script.create_times ? script.create : undefined;
    const refused = fault && refusal(fault);
    if (refused) return sendError(reply, refused, script.retry_after_s);
    if (script.create_answer && tries <= script.create_times) return sendAnswer(reply, script.create_answer);
    if (script.stream_error !== undefined && tries <= script.create_times)
      return sendAnswer(reply, {
        status: 200,
        type: script.stream_type,
        body: `data: ${JSON.stringify(script.stream_error)}\n\n`,
      });

    const response = new SimulatedResponse({ request: wanted, script, speed, now });
    responses.set(response.id, response);
    webhooks?.watch(response);
    if (script.served_model) reply.header('x-ms-served-model', script.served_model);
    const body = responseBody(response);
    if (fault) return loseAnswer(reply, fault, body);
    if (script.foreground) {
      response.shownUsage = response.billed;
      return reply.send(foregroundBody(response));
    }
    if (parsed.data.stream) return await streamEvents(reply, response);
    return sendBody(reply, response);
  });

  app.get<{ Params: { id: string }; Querystring: StreamQuery }>('/v1/responses/:id', async (request, reply) => {
    const response = responses.get(request.params.id);
    if (!response) return sendError(reply, notFound(request.params.id));
    if (request.query.stream === 'true') {
      if (!response.script.replay) return sendError(reply, invalid('This response can no longer be streamed.'));
      response.replays += 1;
      const { starting_after: after } = request.query;
      return await streamEvents(reply, response, after === undefined ? -1 : Number(after));
    }
    response.reads += 1;
    if (response.script.read_answer && response.reads <= response.script.read_times)
      return sendAnswer(reply, response.script.read_answer);
    if (await failRead(reply, response, speed)) return reply;
    const include = includeOf(request.query as Record<string, unknown>);
    if (include.includes('reasoning.encrypted_content'))
      return sendError(reply, invalid('Encrypted content is not supported when a response is retrieved.'));
    if (response.script.served_model) reply.header('x-ms-served-model', response.script.served_model);
    return sendBody(reply, response, include);
  });

  app.post<{ Params: { id: string } }>('/v1/responses/:id/cancel', async (request, reply) => {
    const response = responses.get(request.params.id);
    if (!response) return sendError(reply, notFound(request.params.id));
    if (response.cancels < response.script.cancel_fails) {
      response.cancels += 1;
      return sendError(reply, { status: 500, type: 'server_error', code: null, message: 'The server had an error.' });
    }
    if (!response.cancel()) return sendError(reply, invalid('Cannot cancel a completed response.'));
    return sendBody(reply, response);
  });

  app.delete<{ Params: { id: string } }>('/v1/responses/:id', async (request, reply) => {
    if (!responses.delete(request.params.id)) return sendError(reply, notFound(request.params.id));
    return reply.send({ id: request.params.id, object: 'response', deleted: true });
  });

  app.addHook('onClose', async () => webhooks?.close());
  app.get('/sim/ledger', async () => ledgerBody(creates, responses.values()));

  await app.listen({ port, host });
  return { url: `http://127.0.0.1:${portOf(app)}/v1`, close: () => app.close() };
}

/** The texts that the provider adds to a request which names an earlier response, or an item of one. */
function recall(
  { input, previous_response_id: previous }: z.infer<typeof createSchema>,
  responses: Map<string, SimulatedResponse>,
): string[] {
  const named = (Array.isArray(input) ? input : []).map(item => String(item?.id ?? ''));
  const ids = [previous ?? '', ...named.map(id => id.replace(/^msg_/, 'resp_'))];
  return ids.flatMap(id => {
    const response = responses.get(id);
    return response ? [pieces(response).join('')] : [];
  });
}

function sendBody(reply: FastifyReply, response: SimulatedResponse, include: string[] = []): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(bodyText(response, include));
}

interface StreamQuery {
  stream?: string;
  starting_after?: string;
}

function readScript(metadata: Record<string, string> | null | undefined) {
  try {
    return parseScript(metadata);
  } catch (error) {
    if (error instanceof ScriptError) return error;
    throw error;
  }
}

function invalid(message: string) {
  return { status: 400, type: 'invalid_request_error', code: null, message };
}

function portOf(app: FastifyInstance): number {
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('The simulator got no TCP address.');
  return address.port;
}
