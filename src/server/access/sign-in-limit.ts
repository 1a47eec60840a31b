import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterRedis,
  type RateLimiterRes,
} from 'rate-limiter-flexible';
import type { Store } from '../../shared/store/store.ts';

const WINDOW_S = 60;
/** A person who mistypes has enough of them. */
const MOST_WRONG_KEYS = 10;
/** Each sign-in leaves a session in the store for half a day. */
const MOST_SIGN_INS = 20;

/** Seconds until the next try; null where this one may go on. */
export type WaitS = number | null;

/** How often one may try to sign in: by address with a wrong key, and by the key's name with a right one. */
export class SignInLimit {
  private readonly wrongKeys: RateLimiterAbstract;
  private readonly signIns: RateLimiterAbstract;

  constructor(store: Store) {
    this.wrongKeys = openLimiter(store, 'wrong_keys', MOST_WRONG_KEYS);
    this.signIns = openLimiter(store, 'sign_ins', MOST_SIGN_INS);
  }

  /** Counted before the key is looked at, so that many tries at once do not pass together. */
  async countTry(address: string): Promise<WaitS> {
    return await take(this.wrongKeys, address);
  }

  /** The key was right: the try does not count among the wrong ones. */
  async countSignIn(address: string, keyName: string): Promise<WaitS> {
    await this.wrongKeys.reward(address, 1);
    return await take(this.signIns, keyName);
  }
}

function openLimiter({ client, keys }: Store, name: string, points: number): RateLimiterAbstract {
  const limits = { keyPrefix: `${keys.prefix}:tries:${name}`, points, duration: WINDOW_S };
  // With the store away each process counts for itself.
  return new RateLimiterRedis({ ...limits, storeClient: client, insuranceLimiter: new RateLimiterMemory(limits) });
}

async function take(limiter: RateLimiterAbstract, key: string): Promise<WaitS> {
  try {
    await limiter.consume(key, 1);
    return null;
  } catch (refusal) {
    if (refusal instanceof Error) throw refusal;
    return Math.ceil((refusal as RateLimiterRes).msBeforeNext / 1000);
  }
}
