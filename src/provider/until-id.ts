import { upstreamResponseSchema } from '../shared/contract/response.ts';
import type { UpstreamEvent } from '../shared/contract/stream.ts';
import type { LaunchAnswer } from './answers.ts';
import { errorTextIn, LONGEST_MESSAGE } from './call-failure.ts';
import type { UpstreamStream } from './upstream-stream.ts';

const LONGEST_WITHOUT_ID_MS = 600_000;
/** What is kept of a stream until its id is known: keepalives of ten minutes, many times over (I9). */
const MOST_BYTES = 1_000_000;

/** Listens until an event shows the response's id. For minutes only keepalives may come before it, as users report. */
export async function untilId(stream: UpstreamStream, silenceMs: number): Promise<LaunchAnswer> {
  const heardBefore: UpstreamEvent[] = [];
  const givenUpAt = performance.now() + LONGEST_WITHOUT_ID_MS;
  let bytes = 0;
  while (performance.now() < givenUpAt && bytes <= MOST_BYTES) {
    const heard = await stream.next(silenceMs);
    if (heard.kind !== 'event') {
      stream.close();
      return { kind: 'unknown', code: `stream_${heard.kind}` };
    }
    if (heard.event.type === 'error') {
      stream.close();
      const message = errorTextIn(heard.event)?.slice(0, LONGEST_MESSAGE);
      return { kind: 'unknown', code: 'stream_error', httpStatus: 200, message };
    }
    heardBefore.push(heard.event);
    const parsed = upstreamResponseSchema.safeParse(heard.event.response);
    if (!parsed.success) {
      bytes += JSON.stringify(heard.event).length;
      continue;
    }
    stream.putBack(heardBefore);
    return { kind: 'acknowledged', response: parsed.data, servedModel: stream.servedModel, stream };
  }
  stream.close();
  return { kind: 'unknown', code: 'stream_without_id' };
}
