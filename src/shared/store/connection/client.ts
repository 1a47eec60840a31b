import type { Redis, RedisOptions } from 'ioredis';

/** The type of a connection to Redis. */
export type RedisClient = Redis;
export type { RedisOptions };
