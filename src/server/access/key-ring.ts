import { createHash, timingSafeEqual } from 'node:crypto';
import { DEFAULT_TENANT } from '../../shared/contract/words.ts';
import type { ApiKey } from '../../shared/runtime/setting-formats.ts';
import type { Session } from '../../shared/store/sessions.ts';

/** Who sent a request. */
export interface Caller {
  /** The key's name; null if nobody signs in. */
  keyName: string | null;
  tenant: string;
  /** True if the caller may act for every tenant. */
  admin: boolean;
}

/** The caller of a server without sign-in: everybody on this machine is the operator. */
export const operator: Caller = { keyName: null, tenant: DEFAULT_TENANT, admin: true };

/** The keys of the settings, by their digests. The keys themselves are not kept. */
export class KeyRing {
  private readonly entries: { digest: Buffer; caller: Caller & { keyName: string } }[];

  constructor(keys: ApiKey[]) {
    this.entries = keys.map(({ name, key, sha256, tenant, admin }) => ({
      digest: sha256 === undefined ? digestOf(key ?? '') : Buffer.from(sha256, 'hex'),
      caller: { keyName: name, tenant, admin },
    }));
  }

  get holdsSeveralTenants(): boolean {
    return new Set(this.entries.map(({ caller }) => caller.tenant)).size > 1;
  }

  callerOf(key: string): Caller | undefined {
    return this.entryOf(key)?.caller;
  }

  sessionOf(key: string): Session | undefined {
    const entry = this.entryOf(key);
    return entry && { key_name: entry.caller.keyName, key_mark: markOf(entry.digest) };
  }

  /** The caller of a session; undefined if its key is no longer in the settings. */
  callerIn(session: Session): Caller | undefined {
    return this.entries.find(
      ({ digest, caller }) => caller.keyName === session.key_name && markOf(digest) === session.key_mark,
    )?.caller;
  }

  private entryOf(key: string) {
    // Somebody who hashed an empty variable has the digest of nothing in the settings.
    if (key === '') return undefined;
    const presented = digestOf(key);
    let found: (typeof this.entries)[number] | undefined;
    // Every digest is compared in constant time, so that the time says nothing about which was close.
    for (const entry of this.entries) if (timingSafeEqual(entry.digest, presented)) found = entry;
    return found;
  }
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function markOf(digest: Buffer): string {
  return createHash('sha256').update(digest).digest('hex');
}
