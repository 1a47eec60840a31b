import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Store } from './store.ts';

const sessionSchema = z.object({
  key_name: z.string(),
  /** Made from the key's digest, so that the session ends when the key is removed. */
  key_mark: z.string(),
});
export type Session = z.infer<typeof sessionSchema>;

/** One working day. */
export const SESSION_MS = 12 * 3_600_000;

/** People who signed in. They are kept in the store, so every server knows them, by a digest of their cookie. */
export class Sessions {
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  /** Returns the token for the cookie. */
  async open(session: Session): Promise<string> {
    const token = randomBytes(32).toString('base64url');
    const place = this.store.home.keys.session(digestOf(token));
    await this.store.ask(client => client.set(place, JSON.stringify(session), 'PX', SESSION_MS));
    return token;
  }

  async find(token: string): Promise<Session | null> {
    const text = await this.store.ask(client => client.get(this.store.home.keys.session(digestOf(token))));
    return text === null ? null : sessionSchema.parse(JSON.parse(text));
  }

  async end(token: string): Promise<void> {
    await this.store.ask(client => client.del(this.store.home.keys.session(digestOf(token))));
  }
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
