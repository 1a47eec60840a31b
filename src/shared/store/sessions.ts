import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Store } from './store.ts';

const sessionSchema = z.object({
  key_name: z.string(),
  /** Of the key's own digest, so that a session ends with the key that it was opened by. */
  key_mark: z.string(),
});
export type Session = z.infer<typeof sessionSchema>;

/** A working day. */
export const SESSION_MS = 12 * 3_600_000;

/** People who signed in. They stand in the store, so any server knows them, and only by a digest of their cookie. */
export class Sessions {
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  /** The token to keep in a cookie. */
  async open(session: Session): Promise<string> {
    const token = randomBytes(32).toString('base64url');
    const place = this.store.keys.session(digestOf(token));
    await this.store.ready();
    await this.store.guard(() => this.store.client.set(place, JSON.stringify(session), 'PX', SESSION_MS));
    return token;
  }

  async find(token: string): Promise<Session | null> {
    await this.store.ready();
    const text = await this.store.guard(() => this.store.client.get(this.store.keys.session(digestOf(token))));
    return text === null ? null : sessionSchema.parse(JSON.parse(text));
  }

  async end(token: string): Promise<void> {
    await this.store.guard(() => this.store.client.del(this.store.keys.session(digestOf(token))));
  }
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
