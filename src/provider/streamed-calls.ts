import type { OpenAI } from 'openai';
import { readBounded, sniff } from './answer-body.ts';
import type { LaunchAnswer, StreamAnswer, Upstream } from './answers.ts';
import { callFailure } from './call-failure.ts';
import { BY_SIGNAL, jsonHeaders, MOST_BODY_BYTES } from './calls.ts';
import { mayBeTheInclude, pathOf, queryOf } from './paths.ts';
import { failedCreate, failure, launchAnswerIn } from './read-answers.ts';
import { untilId } from './until-id.ts';
import { openStream } from './upstream-stream.ts';
import { startTimeout } from './with-timeout.ts';

/** Less than the follower of a stream may be silent. */
const RESUME_TIMEOUT_MS = 5000;

/** The calls whose answers are event streams. The SDK reads those, so a worker that follows no stream does not load it. */
export function streamedCalls(
  client: OpenAI,
  launchTimeoutMs: number,
): Pick<Upstream, 'createStream' | 'resumeStream'> {
  async function createStream(body: string, model: string): Promise<LaunchAnswer> {
    const connection = new AbortController();
    const giveUp = () => startTimeout(launchTimeoutMs, () => connection.abort());
    let callOff = giveUp();
    let status: number | undefined;
    try {
      const answer = await client
        .post('/responses', {
          body,
          headers: { ...jsonHeaders, accept: 'text/event-stream' },
          timeout: BY_SIGNAL,
          maxRetries: 0,
          signal: connection.signal,
        })
        .asResponse();
      status = answer.status;
      callOff();
      callOff = giveUp();
      const sniffed = await sniff(answer);
      // A gateway that does not stream answers with a response, whose id is as good.
      if (!sniffed.isEventStream) return await wholeAnswer(sniffed.answer);
      callOff();
      return await untilId(openStream(sniffed.answer, connection, client), launchTimeoutMs);
    } catch (error) {
      // It was silent for too long, and the response may run.
      if (connection.signal.aborted)
        return { kind: 'unknown', code: 'timeout', ...(status === undefined ? {} : { httpStatus: status }) };
      return failedCreate(error, model);
    } finally {
      callOff();
    }
  }

  async function resumeStream(responseId: string, after: number, include: string[]): Promise<StreamAnswer> {
    const connection = new AbortController();
    try {
      const answer = await client
        .get(pathOf(responseId), {
          query: { stream: true, ...(after < 0 ? {} : { starting_after: after }), ...queryOf(include) },
          headers: { accept: 'text/event-stream' },
          timeout: RESUME_TIMEOUT_MS,
          maxRetries: 0,
          signal: connection.signal,
        })
        .asResponse();
      // By its content type it is a stream, which may be silent until there is more to send.
      if (isNamedStream(answer)) return { kind: 'opened', stream: openStream(answer, connection, client) };
      const giveUp = setTimeout(() => connection.abort(), RESUME_TIMEOUT_MS);
      const sniffed = await sniff(answer).finally(() => clearTimeout(giveUp));
      if (sniffed.isEventStream) return { kind: 'opened', stream: openStream(sniffed.answer, connection, client) };
      connection.abort();
      return { kind: 'refused', code: 'no_stream' };
    } catch (error) {
      const { status } = callFailure(error);
      if (mayBeTheInclude(status, include)) return await resumeStream(responseId, after, []);
      // Users report a 400 after five minutes, while the plain GET still works. A 404 may pass.
      return status === 400 || status === 405 || status === 422
        ? { kind: 'refused', code: `http_${status}` }
        : { kind: 'failed', code: failure(error).code };
    }
  }

  return { createStream, resumeStream };
}

/** A gateway that does not stream answers with a response, whose id is as good. */
async function wholeAnswer(answer: Response): Promise<LaunchAnswer> {
  const text = await readBounded(answer, MOST_BODY_BYTES);
  return launchAnswerIn({ status: answer.status, headers: answer.headers, text });
}

function isNamedStream(answer: Response): boolean {
  return /^\s*text\/event-stream/i.test(answer.headers.get('content-type') ?? '');
}
