import { z } from 'zod';
import { tenantSchema } from '../contract/words.ts';

export const wholeNumber = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number of at least ${least}`)
    .transform(Number)
    .refine(value => value >= least && value <= most, {
      error: most === Number.MAX_SAFE_INTEGER ? `must be at least ${least}` : `must be from ${least} to ${most}`,
    });

export const durationMs = (leastMs = 1) => wholeNumber(leastMs);

/** Kubernetes writes tcp://10.0.0.1:80 into NAME_PORT for a Service of that name: not a setting of ours. */
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
    /** Shown beside what was done with it. */
    name: z.string().min(1).max(64),
    /** The key itself; or its sha256 in hexadecimal digits, so that the settings hold no secret. */
    key: z.string().min(16, 'must be at least 16 characters').optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits')
      .optional(),
    tenant: tenantSchema,
    /** May act for every tenant. */
    admin: z.boolean().default(false),
  })
  .refine(entry => (entry.key === undefined) !== (entry.sha256 === undefined), 'must have either key or sha256');
export const apiKeysSchema = z
  .array(apiKeySchema)
  .min(1, 'must hold at least one key')
  .refine(
    keys => new Set(keys.map(({ name }) => name)).size === keys.length,
    'must give each key a name of its own: it is what a cancel is signed with',
  );
export type ApiKey = z.infer<typeof apiKeySchema>;

export const priceSettingsSchema = z.strictObject({
  /** Azure's deployment names: {"my-deployment": "gpt-5.5"}. */
  deployments: z.record(z.string(), z.string()).default({}),
  /** Prices of your own, in dollars per million tokens. */
  models: z
    .record(
      z.string(),
      z.strictObject({ input: usdPerMillion, cached_input: usdPerMillion.optional(), output: usdPerMillion }),
    )
    .default({}),
  /** Taken off the list price: {"gpt-5.5": 0.1, "*": 0.05}. */
  discounts: z.record(z.string(), z.number().min(0).max(1)).default({}),
  /** What a service tier multiplies the price by: {"priority": 2}. */
  tiers: z.record(z.string(), z.number().nonnegative()).default({}),
  /** What a completion window multiplies the price by: {"8h": 0.5}. No list price of one is published. */
  windows: z.record(z.string(), z.number().nonnegative()).default({}),
});
export type PriceSettings = z.infer<typeof priceSettingsSchema>;

export const concurrencySchema = z
  .string()
  .regex(
    /^(launch|poll|settle|stream)=\d+(,(launch|poll|settle|stream)=\d+)*$/,
    'must look like launch=10,poll=50,settle=10,stream=50',
  )
  .transform(text => {
    const given = Object.fromEntries(text.split(',').map(part => part.split('=') as [string, string]));
    return {
      launch: Number(given.launch ?? 10),
      poll: Number(given.poll ?? 50),
      settle: Number(given.settle ?? 10),
      stream: Number(given.stream ?? 50),
    };
  })
  .refine(value => Math.min(value.launch, value.poll, value.settle) > 0, 'must be at least 1 for each queue');

export const readersSchema = z
  .string()
  .regex(/^process=\d+,tenant=\d+$/, 'must look like process=1000,tenant=250')
  .transform(text => {
    const [process = 0, tenant = 0] = text.match(/\d+/g)?.map(Number) ?? [];
    return { process, tenant };
  });

/** A path of a site without steps up, and nothing that markup would read. */
export const plainPath = /^(\/(?!\.{1,2}(\/|$))[\w.~-]+)+$/;

/** BullMQ and Redis Cluster need the hash tag: it keeps every key of a deployment on one node. */
export const prefixSchema = z
  .string()
  .regex(/^[^{}\s]*\{[^{}\s]+\}[^{}\s]*$/, 'must hold a hash tag in braces, like {headstone}');
