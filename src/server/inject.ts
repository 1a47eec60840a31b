import type { Readable } from 'node:stream';
import type { Api } from './api/schemas.ts';
import type { Call } from './fetch-call.ts';

/** Asks a route in this process, with what fetch was called with. What is left early, or aborted, ends the route's work too (I9). */
export async function inject(app: Api, call: Call, url: string): Promise<Response> {
  const request = new Request(...call);
  const { signal } = request;
  const body = await request.text();
  signal.throwIfAborted();
  const reply = await app.inject({
    method: request.method as 'GET' | 'POST' | 'DELETE',
    url,
    // Bodies of these routes are JSON, whatever fetch called a string of which nothing was said.
    headers: { ...Object.fromEntries(request.headers), ...(body === '' ? {} : { 'content-type': 'application/json' }) },
    ...(body === '' ? {} : { payload: body }),
    payloadAsStream: true,
  });
  const stream = reply.stream();
  // Aborted while nobody reads: whoever reads next is told, and nobody else is.
  stream.on('error', () => {});
  // A socket that closes would tell the route that its reader is gone.
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

/** Readable.toWeb and ReadableStream.from do not end a stream that is left before its first read. */
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
