import { Decoder } from 'ioredis/built/resp/decoder.js';
import { nameOf } from './script-names.ts';

/** Both directions of one connection to Redis, read along. */
export interface Conversation {
  /** Bytes of a process for Redis. False if they are of something else, which has come to a port that was another's before. */
  ask(chunk: Buffer): boolean;
  /** Bytes of Redis for the process. */
  answer(chunk: Buffer): void;
}

/** These are answered by messages that come by themselves. */
const subscriptions = new Set(['subscribe', 'unsubscribe', 'psubscribe', 'punsubscribe', 'ssubscribe', 'sunsubscribe']);

/** Says of each answer whose it is: the name of a command that changes Redis, null for any other. */
export function readAlong(onAnswered: (name: string | null, answer: unknown) => void): Conversation {
  const asked: (string | null)[] = [];
  const questions = decoder(([command = '', ...args]: string[]) => {
    const name = command.toLowerCase();
    if (!subscriptions.has(name)) asked.push(nameOf(name, args));
  });
  const answers = decoder((answer: unknown) => onAnswered(asked.shift() ?? null, answer));
  const ask = (chunk: Buffer) => {
    try {
      questions.write(chunk);
      return true;
    } catch {
      return false;
    }
  };
  return { ask, answer: chunk => answers.write(chunk) };
}

/** Reads the protocol in one direction: commands are arrays of texts, and an answer is whatever it is. */
function decoder<Value>(onWhole: (value: Value) => void): Decoder {
  return new Decoder({
    onReply: onWhole,
    onErrorReply: onWhole as never,
    onPush: () => {},
    getTypeMapping: () => ({}),
  });
}
