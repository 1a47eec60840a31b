import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterRedis,
  type RateLimiterRes,
} from 'rate-limiter-flexible';
import type { Store } from '../../shared/store/store.ts';

const WINDOW_S = 60;
/** Enough for a person who mistypes. */
const MOST_WRONG_KEYS = 10;
/** Each sign-in leaves a session in the store for half a day, so they are limited too. */
const MOST_SIGN_INS = 20;

/** Seconds to wait before the next try; null if this one may go on. */
export type WaitS = number | null;

/** Limits sign-ins: by address with a wrong key, and by the key's name with a right one. */
export class SignInLimit {
  private readonly store: Store;
  private readonly wrongKeys: RateLimiterAbstract;
  private readonly signIns: RateLimiterAbstract;

  constructor(store: Store) {
    this.store = store;
    this.wrongKeys = openLimiter(store, 'wrong_keys', MOST_WRONG_KEYS);
    this.signIns = openLimiter(store, 'sign_ins', MOST_SIGN_INS);
  }

  /** Counts a try before the key is checked, so that many tries at once do not all pass. */
  async countTry(address: string): Promise<WaitS> {
    // A server that has just started would count in its own memory what comes before it is connected.
    await this.store.ready().catch(() => {});
    return await take(this.wrongKeys, address);
  }

  /** The key was right, so the try does not count as a wrong one. */
  async countSignIn(address: string, keyName: string): Promise<WaitS> {
    await this.wrongKeys.reward(address, 1);
    return await take(this.signIns, keyName);
  }
}

function openLimiter(store: Store, name: string, points: number): RateLimiterAbstract {
  const limits = { keyPrefix: `${store.home.keys.prefix}:tries:${name}`, points, duration: WINDOW_S };
  // While the store is away, each process counts alone.
  const insuranceLimiter = new RateLimiterMemory(limits);
  return store.lend(storeClient => new RateLimiterRedis({ ...limits, storeClient, insuranceLimiter }));
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
