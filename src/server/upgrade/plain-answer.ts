import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { Producer } from '../../producer/producer.ts';
import type { Job } from '../../shared/contract/job.ts';
import { readKeptJob, sendJson } from '../api/find-job.ts';
import { KEEPALIVE_MS, orSilence } from '../api/silence.ts';
import { latePlainOutcome, plainOutcome } from './plain-outcome.ts';

/**
 * Answers a plain create with the outcome of its job. For the first 15 s the answer waits, so that an error has its own HTTP
 * status. After that 200 is sent, and white space before the body, since proxies close a connection on which nothing is sent.
 * `refused` may answer in another way for a job that has ended.
 */
export async function answerPlainly(
  reply: FastifyReply,
  producer: Producer,
  { id, gone }: { id: string; gone: AbortSignal },
  refused: (job: Job) => Promise<FastifyReply | undefined>,
): Promise<FastifyReply> {
  const outcome = outcomeOf(producer, id, gone);
  // It is awaited below, but a caller who goes away may end it before.
  outcome.catch(() => {});
  const early = await orSilence(outcome);
  if (early === 'silent')
    return reply
      .type('application/json; charset=utf-8')
      .header('x-accel-buffering', 'no')
      .send(Readable.from(whiteSpaceUntil(outcome), { objectMode: false }));
  const otherwise = await refused(early.job);
  if (otherwise) return otherwise;
  const { status, text } = plainOutcome(early.job, early.text);
  return sendJson(reply.code(status).header('x-should-retry', 'false'), text);
}

interface Outcome {
  job: Job;
  text: string;
}

async function outcomeOf(producer: Producer, id: string, signal: AbortSignal): Promise<Outcome> {
  await producer.wait(id, { signal });
  const job = await readKeptJob(producer, id, id);
  return { job, text: await producer.responseText(job) };
}

async function* whiteSpaceUntil(outcome: Promise<Outcome>): AsyncGenerator<string, void> {
  yield '\n';
  for (;;) {
    const heard = await orSilence(outcome, KEEPALIVE_MS);
    if (heard !== 'silent') return yield latePlainOutcome(heard.job, heard.text);
    yield '\n';
  }
}
