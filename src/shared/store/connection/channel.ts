import type { RedisClient } from './client.ts';
import { patientDuplicate } from './redis.ts';

/** `null` means that messages may have been lost, so the listener has to read the record. */
type Listener<Message> = (message: Message | null) => void;

/** A channel on which a script publishes what it did. It only makes things fast: a message may be lost, and the record decides. */
export class Channel<Message> {
  private readonly parent: RedisClient;
  private readonly name: string;
  private readonly parse: (text: string) => Message | undefined;
  private readonly listeners = new Set<Listener<Message>>();
  private subscriber: RedisClient | undefined;
  private subscribed: Promise<unknown> | undefined;

  /** `parse` returns undefined for a message that another version wrote. */
  constructor(parent: RedisClient, name: string, parse: (text: string) => Message | undefined) {
    this.parent = parent;
    this.name = name;
    this.parse = parse;
  }

  /** Resolves once messages arrive. Returns the function that stops listening. */
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
    // A subscriber needs a separate connection, and a patient one comes back and subscribes again by itself.
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

  /** Tells the listeners of this process. Whoever has an answer of the script tells them before the message comes. */
  tell(message: Message | null): void {
    for (const listener of [...this.listeners]) listener(message);
  }

  async close(): Promise<void> {
    this.subscriber?.disconnect();
  }
}
