import { z } from 'zod';
import type { Producer } from '../../producer/producer.ts';
import { responseIdSchema } from '../../shared/contract/response.ts';
import type { Telemetry } from '../../shared/runtime/telemetry.ts';
import type { Api } from '../api/schemas.ts';
import { errorBody } from '../error-body.ts';
import { Verifier } from './verify.ts';

/** An event names a response and little else. */
const MOST_BYTES = 65_536;

/** Ids of messages are stored. */
const messageIdSchema = z.string().min(1).max(200);

const TOLD_EVERY_MS = 10_000;

/** Anybody can send what is refused, so it is logged now and then. */
class RefusedWebhooks {
  private readonly telemetry: Telemetry;
  private count = 0;
  private toldAt = Number.NEGATIVE_INFINITY;

  constructor(telemetry: Telemetry) {
    this.telemetry = telemetry;
  }

  note(requestId: string): void {
    this.count += 1;
    const now = performance.now();
    if (now - this.toldAt < TOLD_EVERY_MS) return;
    this.telemetry.emit('webhook_refused', { request_id: requestId, count: this.count });
    this.count = 0;
    this.toldAt = now;
  }
}

/** Routes for the provider's webhooks. A message is a hint that a response has ended: a worker looks, and what it sees counts. */
export async function webhookRoutes(app: Api, producer: Producer, secrets: string[]): Promise<void> {
  const verifier = new Verifier(secrets);
  const { hints, telemetry } = producer;
  const refusals = new RefusedWebhooks(telemetry);
  await app.register(async scope => {
    // The signature is over the raw bytes.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: MOST_BYTES }, (_request, body, done) =>
      done(null, body),
    );
    for (const provider of ['openai', 'azure'] as const)
      scope.post(`/webhooks/${provider}`, { schema: { hide: true }, bodyLimit: MOST_BYTES }, async (request, reply) => {
        const event = await verifier.verified(String(request.body ?? ''), request.headers);
        const messageId = messageIdSchema.safeParse(request.headers['webhook-id']);
        if (!event || !messageId.success) {
          refusals.note(request.id);
          return reply
            .code(400)
            .send(
              errorBody(
                'The signature of this webhook does not match OPENAI_WEBHOOK_SECRET, or its timestamp is too far from this server’s clock.',
                'invalid_signature',
                'invalid_request_error',
              ),
            );
        }
        const responseId = responseIdSchema.safeParse(event.data?.id);
        // Other events are none of Headstone's business, and the provider need not send them again.
        if (!event.type.startsWith('response.') || !responseId.success) return reply.code(204).send();
        const heard = await hints.take(responseId.data, messageId.data);
        telemetry.emit('webhook_heard', { response_id: responseId.data, type: event.type.slice(0, 64), heard });
        return reply.code(204).send();
      });
  });
}
