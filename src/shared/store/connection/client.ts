import type { Redis, RedisOptions } from 'ioredis';

/** A connection to the store, as everything behind `Store` speaks to it. */
export type RedisClient = Redis;
export type { RedisOptions };
