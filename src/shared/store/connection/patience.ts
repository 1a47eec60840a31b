import type { RedisOptions } from './client.ts';
import { isWrongServer } from './store-errors.ts';

/** `caller`: it fails fast, because somebody waits for the answer. `worker`: it waits through an outage. */
export type Patience = 'caller' | 'worker';

const MOST_RECONNECT_DELAY_MS = 5000;
const FIRST_RECONNECT_DELAY_MS = 50;
const CONNECT_TIMEOUT_MS = 5000;
const CALLER_TIMEOUT_MS = 5000;

/**
 * How long a connection that owes an answer may be silent. Blocking reads block for at most ten seconds, so after a longer
 * silence the other end is gone. Linux would wait for a quarter of an hour.
 */
const WORKER_SILENCE_MS = 13_000;
const CALLER_SILENCE_MS = CALLER_TIMEOUT_MS + 1000;

/** Servers that are left within this time of each other belong to one failover. */
const SAME_FAILOVER_MS = 15_000;
/** Where another server has taken over: this one is a replica, or Sentinels know which one it is. */
const MOST_FOLLOWING_DELAY_MS = 2000;

/**
 * How often a connection has left a server, by its options. Reconnecting slows down with it, because the server may be wrong
 * for ever. All commands that one server refuses are one departure.
 */
const departures = new WeakMap<object, { count: number; at: number; isUnderWay: boolean }>();

/** Leaves servers that are replicas by now. `again`: the refused command is sent to the next server; it did nothing on this one. */
export function leaveWrongServers(again: boolean): NonNullable<RedisOptions['reconnectOnError']> {
  return function (this: object, error: Error) {
    if (!isWrongServer(error)) return false;
    const known = departures.get(this);
    if (!known?.isUnderWay) {
      const isSame = known !== undefined && performance.now() - known.at < SAME_FAILOVER_MS;
      departures.set(this, { count: isSame ? known.count + 1 : 1, at: performance.now(), isUnderWay: true });
    }
    return again ? 2 : 1;
  };
}

/** The delay has full jitter, so that pods which lost the same Redis do not all come back at the same moment. */
function reconnectDelayMs(this: RedisOptions, attempt: number): number {
  const known = departures.get(this);
  if (known) known.isUnderWay = false;
  const isLeaving = known !== undefined && performance.now() - known.at < SAME_FAILOVER_MS;
  const steps = Math.min(isLeaving ? known.count : attempt, 10);
  const most = isLeaving || this.sentinels ? MOST_FOLLOWING_DELAY_MS : MOST_RECONNECT_DELAY_MS;
  return Math.ceil(Math.random() * Math.min(most, FIRST_RECONNECT_DELAY_MS * 2 ** steps));
}

export const always: RedisOptions = {
  connectTimeout: CONNECT_TIMEOUT_MS,
  retryStrategy: reconnectDelayMs,
};

/** A worker's blocking reads need `null` and no time-out for commands, which would break them. */
export const patient: RedisOptions = {
  maxRetriesPerRequest: null,
  commandTimeout: undefined,
  socketTimeout: WORKER_SILENCE_MS,
  reconnectOnError: leaveWrongServers(true),
};

/**
 * Nothing is sent twice and nothing waits. Without retries, a command that was on its way when the connection broke fails at
 * once. With one retry, ioredis 6 drops it if the next connection is ready soon, and the caller waits for the time-out.
 */
export const failFast: RedisOptions = {
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  commandTimeout: CALLER_TIMEOUT_MS,
  socketTimeout: CALLER_SILENCE_MS,
  reconnectOnError: leaveWrongServers(false),
};

/** The options for a copy of a connection that waits through an outage, like a subscriber's. */
export const patientDuplicate: RedisOptions = {
  ...patient,
  enableOfflineQueue: true,
  autoResendUnfulfilledCommands: true,
};
