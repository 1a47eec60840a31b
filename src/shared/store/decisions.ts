import { z } from 'zod';
import { outcomeStatusSchema } from '../contract/words.ts';
import { patientDuplicate, type RedisClient } from './redis.ts';

const messageSchema = z.object({
  id: z.string(),
  status: outcomeStatusSchema,
  response_id: z.string().optional(),
});
export type DecidedMessage = z.infer<typeof messageSchema>;

/** `null`: messages may have been lost, so look at the record. */
type Listener = (message: DecidedMessage | null) => void;

/**
 * The channel on which the deciding script publishes each outcome. It only makes things fast: a message can be lost,
 * and the record still decides.
 */
export class Decisions {
  private readonly parent: RedisClient;
  private readonly channel: string;
  private readonly listeners = new Set<Listener>();
  private subscriber: RedisClient | undefined;
  private subscribed: Promise<unknown> | undefined;

  constructor(parent: RedisClient, channel: string) {
    this.parent = parent;
    this.channel = channel;
  }

  /** Resolves when messages arrive; returns the function that stops listening. */
  async listen(listener: Listener): Promise<() => void> {
    this.listeners.add(listener);
    this.subscribed ??= this.subscribe();
    try {
      await this.subscribed;
    } catch (error) {
      this.subscribed = undefined;
      this.listeners.delete(listener);
      throw error;
    }
    return () => this.listeners.delete(listener);
  }

  private async subscribe(): Promise<void> {
    // A connection of its own, and a patient one: it comes back by itself and subscribes again.
    const subscriber = this.parent.duplicate(patientDuplicate);
    this.subscriber = subscriber;
    subscriber.on('error', () => {});
    subscriber.on('message', (_channel: string, text: string) => {
      const parsed = messageSchema.safeParse(parseJson(text));
      if (parsed.success) this.tell(parsed.data);
    });
    await subscriber.subscribe(this.channel);
    subscriber.on('ready', () => this.tell(null));
  }

  private tell(message: DecidedMessage | null): void {
    for (const listener of [...this.listeners]) listener(message);
  }

  async close(): Promise<void> {
    this.subscriber?.disconnect();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
