import { AsyncLocalStorage } from 'node:async_hooks';
import type { Readable } from 'node:stream';
import type { Producer } from '../producer/producer.ts';
import { createRoute } from './api/create-response.ts';
import { responseRoutes } from './api/responses.ts';
import type { Api } from './api/schemas.ts';
import { StreamReaders } from './api/stream-readers.ts';
import type { Call } from './fetch-call.ts';
import { Passthrough } from './passthrough/passthrough.ts';
import { openRouter } from './router.ts';
import { PlainCreates } from './upgrade/plain-creates.ts';

/** The abort signal of the call that is being answered. */
const callers = new AsyncLocalStorage<AbortSignal>();

/** The server's routes for responses, for one tenant of an app in this process. */
export async function openRoutes(producer: Producer, tenant: string, upgrade: boolean): Promise<Api> {
  const { configuration, telemetry } = producer;
  const app = openRouter(configuration, telemetry);
  app.addHook('onRequest', async (request, reply) => {
    request.caller = { keyName: null, tenant, admin: false };
    // Until the answer begins, this is how a route hears that its caller has gone.
    callers.getStore()?.addEventListener('abort', () => reply.raw.destroy(), { once: true });
  });
  const passthrough = new Passthrough({
    producer,
    configuration: { ...configuration, passthrough: false },
    severalHaveKeys: false,
  });
  // The app counts its readers itself.
  const readers = new StreamReaders({ process: Number.POSITIVE_INFINITY, tenant: Number.POSITIVE_INFINITY });
  const parts = { producer, passthrough, readers };
  createRoute(app, { ...parts, plainCreates: new PlainCreates({ ...parts, upgrade }) });
  responseRoutes(app, parts);
  await app.ready();
  return app;
}

/** Sends a call of fetch to a route. If the caller aborts it or leaves its body unread, the route's work ends too (I9). */
export async function inject(app: Api, call: Call, url: string): Promise<Response> {
  const request = new Request(...call);
  const { signal } = request;
  const body = await request.text();
  signal.throwIfAborted();
  const reply = await callers.run(
    signal,
    async () =>
      await app.inject({
        method: request.method as 'GET' | 'POST' | 'DELETE',
        url,
        // The bodies of these routes are JSON, whatever content type fetch gave the string.
        headers: {
          ...Object.fromEntries(request.headers),
          ...(body === '' ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === '' ? {} : { payload: body }),
        payloadAsStream: true,
      }),
  );
  const stream = reply.stream();
  // If it is aborted while nobody reads, the next reader gets the error. Without a listener it would end the process.
  stream.on('error', () => {});
  // There is no socket whose closing would tell the route that its reader has gone.
  stream.once('close', () => reply.raw.res.destroy());
  const onAbort = () => stream.destroy(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  stream.once('close', () => signal.removeEventListener('abort', onAbort));
  if (signal.aborted) onAbort();
  signal.throwIfAborted();
  const headers = Object.entries(reply.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return new Response(bodyOf(stream), { status: reply.statusCode, headers });
}

/** Neither Readable.toWeb nor ReadableStream.from ends a stream that is left before its first read. */
function bodyOf(stream: Readable): ReadableStream {
  const chunks = stream[Symbol.asyncIterator]();
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel() {
        stream.destroy();
      },
    },
    { highWaterMark: 0 },
  );
}
