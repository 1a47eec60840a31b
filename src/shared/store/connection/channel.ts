import type { Subscriptions } from './subscriptions.ts';

/** `null` means that messages may have been lost, so the listener has to read the record. */
type Listener<Message> = (message: Message | null) => void;

/** A channel on which a script publishes what it did. It only makes things fast: a message may be lost, and the record decides. */
export class Channel<Message> {
  private readonly subscriptions: Subscriptions;
  private readonly name: string;
  private readonly parse: (text: string) => Message | undefined;
  private readonly listeners = new Set<Listener<Message>>();
  private subscribed: Promise<unknown> | undefined;

  /** `parse` returns undefined for a message that another version wrote. */
  constructor(subscriptions: Subscriptions, name: string, parse: (text: string) => Message | undefined) {
    this.subscriptions = subscriptions;
    this.name = name;
    this.parse = parse;
  }

  /** Resolves once messages arrive. Returns the function that stops listening. */
  async listen(listener: Listener<Message>): Promise<() => void> {
    this.listeners.add(listener);
    this.subscribed ??= this.subscriptions.subscribe(this.name, text => this.hear(text));
    try {
      await this.subscribed;
    } catch (error) {
      this.subscribed = undefined;
      this.listeners.delete(listener);
      throw error;
    }
    return () => this.listeners.delete(listener);
  }

  /** How many listen in this process. */
  get size(): number {
    return this.listeners.size;
  }

  /** Tells the listeners of this process. Whoever has an answer of the script tells them before the message comes. */
  tell(message: Message | null): void {
    for (const listener of [...this.listeners]) listener(message);
  }

  private hear(text: string | null): void {
    const message = text === null ? null : this.parse(text);
    if (message !== undefined) this.tell(message);
  }
}
