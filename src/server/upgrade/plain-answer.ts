import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import type { Producer } from '../../producer/producer.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { Job } from '../../shared/contract/job.ts';
import { readKeptJob, sendJson } from '../api/find-job.ts';
import { orSilence } from '../api/silence.ts';
import { latePlainOutcome, plainOutcome } from './plain-outcome.ts';

const RETRY_MS = 500;

/** What may be done with a job that has ended, besides showing it. */
export interface Endings {
  /** Answers in another way for a job that was refused only because it ran in the background. */
  refused(job: Job): Promise<FastifyReply | undefined>;
  /** Learns from a job whose answer has begun already. */
  learn(job: Job): void;
}

/**
 * Answers a plain create with the outcome of its job. For the first 15 s the answer waits, so that an error has its own HTTP
 * status. After that 200 is sent, and white space before the body, since proxies close a connection on which nothing is sent.
 */
export async function answerPlainly(
  reply: FastifyReply,
  producer: Producer,
  { id, gone }: { id: string; gone: AbortSignal },
  { refused, learn }: Endings,
): Promise<FastifyReply> {
  const outcome = outcomeOf(producer, id, gone);
  // It is awaited below, but a caller who goes away may end it before.
  outcome.catch(() => {});
  const early = await orSilence(outcome);
  if (early === 'silent')
    return reply
      .type('application/json; charset=utf-8')
      .header('x-accel-buffering', 'no')
      .send(Readable.from(whiteSpaceUntil(outcome, learn), { objectMode: false }));
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
  for (;;)
    try {
      const job = await readKeptJob(producer, id, id);
      return { job, text: await producer.responseText(job) };
    } catch (error) {
      // The job has ended, and a store that is away comes back.
      if (!(error instanceof HeadstoneError && error.retryable)) throw error;
      await sleep(RETRY_MS, undefined, { signal });
    }
}

async function* whiteSpaceUntil(outcome: Promise<Outcome>, ended: (job: Job) => void): AsyncGenerator<string, void> {
  yield '\n';
  for (;;) {
    const heard = await orSilence(outcome);
    if (heard === 'silent') yield '\n';
    else {
      ended(heard.job);
      return yield latePlainOutcome(heard.job, heard.text);
    }
  }
}
