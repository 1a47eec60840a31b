import { patientDuplicate } from './redis.ts';
import type { RedisClient } from './redis-client.ts';

/** `null`: messages may have been lost, so look at the record. */
type Listener<Message> = (message: Message | null) => void;

/**
 * A channel on which a script publishes what it did. It only makes things fast: a message can be lost, and the record
 * still decides.
 */
export class Channel<Message> {
  private readonly parent: RedisClient;
  private readonly name: string;
  private readonly parse: (text: string) => Message | undefined;
  private readonly listeners = new Set<Listener<Message>>();
  private subscriber: RedisClient | undefined;
  private subscribed: Promise<unknown> | undefined;

  /** `parse` gives undefined for what another version wrote. */
  constructor(parent: RedisClient, name: string, parse: (text: string) => Message | undefined) {
    this.parent = parent;
    this.name = name;
    this.parse = parse;
  }

  /** Resolves when messages arrive; returns the function that stops listening. */
  async listen(listener: Listener<Message>): Promise<() => void> {
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
      const message = this.parse(text);
      if (message !== undefined) this.tell(message);
    });
    await subscriber.subscribe(this.name);
    subscriber.on('ready', () => this.tell(null));
  }

  private tell(message: Message | null): void {
    for (const listener of [...this.listeners]) listener(message);
  }

  async close(): Promise<void> {
    this.subscriber?.disconnect();
  }
}
