import { z } from 'zod';
import { tenantSchema } from '../contract/words.ts';
import { parseRedisUrl } from './redis-url.ts';

export const wholeNumber = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number of at least ${least}`)
    .transform(Number)
    .refine(value => value >= least && value <= most, {
      error: most === Number.MAX_SAFE_INTEGER ? `must be at least ${least}` : `must be from ${least} to ${most}`,
    });

export const redisUrlSchema = z
  .string()
  .regex(/^(rediss?(\+(sentinel|cluster))?|unix):\/\//, {
    error: 'must start with redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://',
    abort: true,
  })
  .refine(url => parseRedisUrl(url) !== null, 'must be a URL like redis://user:password@host:6379/0')
  .refine(
    url => !/^rediss?:/.test(url) || /^\d*$/.test(parseRedisUrl(url)?.path ?? ''),
    'must end with the number of a database, like redis://host:6379/0, or with none',
  );

export const durationMs = (leastMs = 1) => wholeNumber(leastMs);

export const port = wholeNumber(0, 65_535);

export const flag = z
  .enum(['0', '1', 'true', 'false'], { error: 'must be 1 or 0' })
  .transform(value => value === '1' || value === 'true');

export const json = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue({ code: 'custom', message: 'must be JSON' });
    return z.NEVER;
  }
});

const usdPerMillion = z.number().nonnegative();

const apiKeySchema = z
  .strictObject({
    /** Shown beside what was done with the key. */
    name: z.string().min(1).max(64),
    /** The key, or its sha256 in hexadecimal digits, so that the settings hold no secret. */
    key: z.string().min(16, 'must be at least 16 characters').optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits')
      .optional(),
    tenant: tenantSchema,
    /** True if the key may act for every tenant. */
    admin: z.boolean().default(false),
  })
  .refine(entry => (entry.key === undefined) !== (entry.sha256 === undefined), 'must have either key or sha256');
export const apiKeysSchema = z
  .array(apiKeySchema)
  .min(1, 'must hold at least one key')
  .refine(
    keys => new Set(keys.map(({ name }) => name)).size === keys.length,
    'must give each key a different name, because cancels are recorded with it',
  );
export type ApiKey = z.infer<typeof apiKeySchema>;

export const priceSettingsSchema = z.strictObject({
  /** Azure's deployment names: {"my-deployment": "gpt-5.5"}. */
  deployments: z.record(z.string(), z.string()).default({}),
  /** Your own prices, in dollars per million tokens. */
  models: z
    .record(
      z.string(),
      z.strictObject({ input: usdPerMillion, cached_input: usdPerMillion.optional(), output: usdPerMillion }),
    )
    .default({}),
  /** The part that is taken off the list price: {"gpt-5.5": 0.1, "*": 0.05}. */
  discounts: z.record(z.string(), z.number().min(0).max(1)).default({}),
  /** The factor of a service tier: {"priority": 2}. */
  tiers: z.record(z.string(), z.number().nonnegative()).default({}),
  /** The factor of a completion window: {"8h": 0.5}. OpenAI publishes no list price for one. */
  windows: z.record(z.string(), z.number().nonnegative()).default({}),
});
export type PriceSettings = z.infer<typeof priceSettingsSchema>;

export const concurrencySchema = z
  .string()
  .regex(
    /^(launch|poll|settle|callback|stream)=\d+(,(launch|poll|settle|callback|stream)=\d+)*$/,
    'must look like launch=10,poll=50,settle=10,callback=10,stream=50',
  )
  .transform(text => {
    const given = Object.fromEntries(text.split(',').map(part => part.split('=') as [string, string]));
    return {
      launch: Number(given.launch ?? 10),
      poll: Number(given.poll ?? 50),
      settle: Number(given.settle ?? 10),
      callback: Number(given.callback ?? 10),
      stream: Number(given.stream ?? 50),
    };
  })
  .refine(
    value => Math.min(value.launch, value.poll, value.settle, value.callback) > 0,
    'must be at least 1 for each queue',
  );

export const readersSchema = z
  .string()
  .regex(/^process=\d+,tenant=\d+$/, 'must look like process=1000,tenant=250')
  .transform(text => {
    const [process = 0, tenant = 0] = text.match(/\d+/g)?.map(Number) ?? [];
    return { process, tenant };
  });

/** A path without steps up and without characters that have a meaning in HTML. */
export const plainPath = /^(\/(?!\.{1,2}(\/|$))[\w.~-]+)+$/;

/** The hash tag in braces keeps all keys of a deployment on one node of a cluster. */
export const prefixSchema = z
  .string()
  .regex(/^[^{}\s]*\{[^{}\s]+\}[^{}\s]*$/, 'must hold a hash tag in braces, like {headstone}');

/** Secrets, of which several are in use while they are rotated. */
export const secretsSchema = z
  .string()
  .transform(text => text.split(',').map(part => part.trim()))
  .pipe(z.array(z.string().min(1)).min(1).max(4));

export const hostsSchema = z.string().transform(text =>
  text
    .split(',')
    .map(part => part.trim().toLowerCase())
    .filter(part => part !== ''),
);

export const proxiesSchema = z
  .string()
  .transform(text => text.split(',').map(part => part.trim()))
  .pipe(z.array(z.string().regex(/^[\da-fA-F.:]+(\/\d{1,3})?$/, 'must be addresses or ranges, separated by commas')));

export const logLevelSchema = z.enum(['debug', 'info', 'warn', 'error', 'silent'], {
  error: 'must be debug, info, warn, error or silent',
});

export const basePathSchema = z
  .string()
  .refine(path => path === '' || plainPath.test(path), 'must begin with a slash and not end with one, like /headstone');
