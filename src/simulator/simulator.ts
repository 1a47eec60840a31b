import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { responseBody } from './body.ts';
import { failRead, loseAnswer, notFound, refusal, sendError } from './faults.ts';
import { ledgerBody } from './ledger.ts';
import { type CreateRequest, SimulatedResponse } from './response.ts';
import { parseScript, ScriptError } from './script.ts';
import { streamEvents } from './stream.ts';

export interface SimulatorOptions {
  /** 0 takes a free port. */
  port: number;
  /** Default: this machine alone. */
  host?: string;
  /** Divides all of its times. */
  speed?: number;
  /** A clock that the caller turns itself. Default: the machine's. */
  now?: () => number;
}

export interface Simulator {
  /** What to give an openai client as its base URL. */
  url: string;
  close(): Promise<void>;
}

/** A key that the simulator refuses; it takes every other one. */
export const WRONG_KEY = 'sk-wrong';

const createSchema = z.looseObject({
  model: z.string(),
  input: z.unknown(),
  background: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  instructions: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  previous_response_id: z.string().nullish(),
  // A bound that means nothing is no bound, as with the lenient ones among the providers.
  max_output_tokens: z.number().int().positive().nullish().catch(null),
});

/**
 * An OpenAI-compatible upstream that misbehaves on request. It imports nothing of the rest, so that its own ledger,
 * `GET /sim/ledger`, can be the judge of ours.
 */
export async function startSimulator({
  port,
  host = '127.0.0.1',
  speed = 1,
  now = Date.now,
}: SimulatorOptions): Promise<Simulator> {
  const responses = new Map<string, SimulatedResponse>();
  const createsSeen = new Map<string, number>();
  let creates = 0;
  const app = Fastify({ forceCloseConnections: true, bodyLimit: 16 << 20 });

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
    const script = readScript(parsed.data.metadata);
    if (script instanceof ScriptError) return sendError(reply, invalid(script.message));

    const wanted: CreateRequest = {
      model: parsed.data.model,
      input: parsed.data.input ?? '',
      instructions: parsed.data.instructions ?? null,
      metadata: parsed.data.metadata ?? {},
      previousResponseId: parsed.data.previous_response_id ?? null,
      maxOutputTokens: parsed.data.max_output_tokens ?? Number.POSITIVE_INFINITY,
    };
    // The same prompt and script is the same request to us: its tries are counted together.
    const identity = JSON.stringify([wanted.model, wanted.input, wanted.metadata.sim]);
    const tries = (createsSeen.get(identity) ?? 0) + 1;
    createsSeen.set(identity, tries);
    await sleep(script.create_ms / speed);
    const fault = tries <= script.create_times ? script.create : undefined;
    const refused = fault && refusal(fault);
    if (refused) return sendError(reply, refused, script.retry_after_s);

    const response = new SimulatedResponse({ request: wanted, script, speed, now });
    responses.set(response.id, response);
    if (script.served_model) reply.header('x-ms-served-model', script.served_model);
    const body = responseBody(response);
    if (fault) return loseAnswer(reply, fault, body);
    if (parsed.data.stream) return await streamEvents(reply, response);
    return reply.send(body);
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
    if (await failRead(reply, response, speed)) return reply;
    const body = responseBody(response);
    response.shownUsage = body.usage ?? response.shownUsage;
    if (response.script.served_model) reply.header('x-ms-served-model', response.script.served_model);
    return reply.send(body);
  });

  app.post<{ Params: { id: string } }>('/v1/responses/:id/cancel', async (request, reply) => {
    const response = responses.get(request.params.id);
    if (!response) return sendError(reply, notFound(request.params.id));
    if (response.cancels < response.script.cancel_fails) {
      response.cancels += 1;
      return sendError(reply, { status: 500, type: 'server_error', code: null, message: 'The server had an error.' });
    }
    if (!response.cancel()) return sendError(reply, invalid('Cannot cancel a completed response.'));
    return reply.send(responseBody(response));
  });

  app.delete<{ Params: { id: string } }>('/v1/responses/:id', async (request, reply) => {
    if (!responses.delete(request.params.id)) return sendError(reply, notFound(request.params.id));
    return reply.send({ id: request.params.id, object: 'response', deleted: true });
  });

  app.get('/sim/ledger', async () => ledgerBody(creates, responses.values()));

  await app.listen({ port, host });
  return { url: `http://127.0.0.1:${portOf(app)}/v1`, close: () => app.close() };
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
