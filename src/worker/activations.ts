import type { ClientOptions, OpenAI } from 'openai';
import type { Upstream } from '../provider/answers.ts';
import { openUpstream } from '../provider/upstream.ts';
import type { QueueName } from '../shared/store/lua/work.ts';
import { type Consumer, openConsumer } from './consumer.ts';
import type { Activation, Context } from './context.ts';
import { decide } from './decide.ts';
import { keyless } from './keyless.ts';

/*
 * What a worker needs to work. It is loaded when a worker starts, so that an app which only enqueues does not load it. What a
 * queue needs for an entry, the price table among it, is loaded with the first entry.
 */

export { Sweeper } from './sweeper.ts';

const launch = whenNeeded(async () => (await import('./launch.ts')).launch);
const poll = whenNeeded(async () => (await import('./poll.ts')).poll);
const settle = whenNeeded(async () => (await import('./settle.ts')).settle);
const deliver = whenNeeded(async () => (await import('./callbacks/deliver.ts')).deliver);
const giveUpDelivering = whenNeeded(async () => (await import('./callbacks/deliver.ts')).giveUpDelivering);
const giveUpSettling = whenNeeded(async () => (await import('./settle.ts')).giveUpSettling);

function whenNeeded<Given extends unknown[]>(load: () => Promise<(...given: Given) => Promise<Activation>>) {
  let loaded: ReturnType<typeof load> | undefined;
  return async (...given: Given): Promise<Activation> => {
    loaded ??= load();
    return await (await loaded)(...given);
  };
}

/** Opens the provider. Throws `configuration` if the key is missing. */
export async function openProvider(openai: ClientOptions | OpenAI, launchTimeoutMs: number): Promise<Upstream> {
  try {
    return await openUpstream({ openai, launchTimeoutMs });
  } catch (cause) {
    // Opening complains only about a missing key.
    throw keyless(cause);
  }
}

/** Opens the BullMQ workers of these queues. They do not run yet. */
export function openConsumers(queues: QueueName[], context: Context): Consumer[] {
  return queues.map(queue => openConsumer(optionsOf(queue, context), context));
}

function optionsOf(queue: QueueName, { configuration, lanes }: Context) {
  const concurrency = configuration.concurrency[queue];
  switch (queue) {
    case 'launch':
      return {
        queue,
        concurrency,
        activate: launch,
        // A launch that is under way is followed by its intent.
        giveUp: (id: string, context: Context) => failAsPoison(id, context, { unlaunched: true }),
      };
    case 'poll':
      return {
        queue,
        concurrency,
        // Of several lanes, each has its share of the polls in the queue's own settings.
        ...(lanes.lanes.length === 1 ? { perSecond: configuration.pollsPerSecond } : {}),
        activate: poll,
        giveUp: failAsPoison,
      };
    case 'settle':
      return {
        queue,
        concurrency,
        activate: settle,
        giveUp: giveUpSettling,
      };
    case 'callback':
      return {
        queue,
        concurrency,
        activate: deliver,
        giveUp: giveUpDelivering,
      };
  }
}

async function failAsPoison(id: string, context: Context, only: { unlaunched?: true } = {}): Promise<Activation> {
  const message = 'Five workers in a row died while they handled this job.';
  return await decide(id, { status: 'failed', ...only, code: 'poison', message }, context);
}
