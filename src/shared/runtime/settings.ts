import { z } from 'zod';
import {
  apiKeysSchema,
  concurrencySchema,
  durationMs,
  flag,
  json,
  plainPath,
  port,
  prefixSchema,
  priceSettingsSchema,
  readersSchema,
  wholeNumber,
} from './setting-formats.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Every setting, once: name, what it means, default as a person would write it, and how it is read. */
export const settings = {
  redisUrl: {
    name: 'REDIS_URL',
    meaning:
      'The store: Redis 7.0 or newer, or Valkey, with maxmemory-policy noeviction. Without it: redis://127.0.0.1:6379; demo, dev and the tests start a store of their own.',
    fallback: undefined,
    schema: z
      .string()
      .regex(/^(rediss?|unix):\/\//, 'must start with redis://, rediss:// or unix://')
      .refine(url => URL.canParse(url), 'must be a URL like redis://user:password@host:6379/0')
      .refine(
        url => url.startsWith('unix:') || /^\/?\d*$/.test(URL.parse(url)?.pathname ?? ''),
        'must end with the number of a database, like redis://host:6379/0, or with none',
      )
      .optional(),
  },
  openaiApiKey: {
    name: 'OPENAI_API_KEY',
    meaning: 'The provider’s key. The simulator takes any.',
    fallback: undefined,
    schema: z.string().optional(),
  },
  openaiBaseUrl: {
    name: 'OPENAI_BASE_URL',
    meaning: 'Where the provider is. On Azure: https://RESOURCE.openai.azure.com/openai/v1/.',
    fallback: undefined,
    schema: z.url({ protocol: /^https?$/, error: 'must start with http:// or https://' }).optional(),
  },
  prefix: {
    name: 'HEADSTONE_PREFIX',
    meaning: 'In front of every key of this deployment. The braces keep it on one node of a Redis Cluster.',
    fallback: '{headstone}',
    schema: prefixSchema,
  },
  port: { name: 'HEADSTONE_PORT', meaning: 'Of the server.', fallback: '3000', schema: port },
  host: {
    name: 'HEADSTONE_HOST',
    meaning:
      'The address to listen on, of a server with sign-in and of a worker’s health. Default: every interface, IPv6 too. A server without sign-in keeps to 127.0.0.1 and ::1.',
    fallback: undefined,
    schema: z.string().min(1).max(255).optional(),
  },
  basePath: {
    name: 'HEADSTONE_BASE_PATH',
    meaning: 'The path that the server stands under at its site, like /headstone. Its links begin with it.',
    fallback: '',
    schema: z
      .string()
      .refine(
        path => path === '' || plainPath.test(path),
        'must begin with a slash and not end with one, like /headstone',
      ),
  },
  trustedProxies: {
    name: 'HEADSTONE_TRUSTED_PROXIES',
    meaning:
      'Addresses or ranges of the proxies in front, by comma, like 10.0.0.0/8: their x-forwarded-for, -proto and -prefix are believed.',
    fallback: undefined,
    schema: z
      .string()
      .transform(text => text.split(',').map(part => part.trim()))
      .pipe(z.array(z.string().regex(/^[\da-fA-F.:]+(\/\d{1,3})?$/, 'must be addresses or ranges, by comma')))
      .optional(),
  },
  healthPort: {
    name: 'HEADSTONE_HEALTH_PORT',
    meaning: 'Of a worker: health and metrics alone. Without it a worker listens on nothing.',
    fallback: undefined,
    schema: port.optional(),
  },
  apiKeys: {
    name: 'HEADSTONE_API_KEYS',
    meaning: 'JSON: who may use the server, as a list of {"name", "key" or "sha256", "tenant", "admin"?}.',
    fallback: undefined,
    schema: json.pipe(apiKeysSchema).optional(),
  },
  apiKeysFile: {
    name: 'HEADSTONE_API_KEYS_FILE',
    meaning: 'A file that holds the same list. Without either, the server speaks to its own machine alone.',
    fallback: undefined,
    schema: z.string().optional(),
  },
  maxInFlight: {
    name: 'HEADSTONE_MAX_IN_FLIGHT',
    meaning: 'Responses that may run at the provider at once, in all pods; those only watched do not count.',
    fallback: '100',
    schema: wholeNumber(1),
  },
  pollsPerSecond: {
    name: 'HEADSTONE_POLLS_PER_SECOND',
    meaning: 'Looks at running responses, in all pods.',
    fallback: '50',
    schema: wholeNumber(1),
  },
  concurrency: {
    name: 'HEADSTONE_CONCURRENCY',
    meaning: 'Activations at once in one pod, by queue; and streams, which hold a connection each.',
    fallback: 'launch=10,poll=50,settle=10,stream=50',
    schema: concurrencySchema,
  },
  streamReaders: {
    name: 'HEADSTONE_STREAM_READERS',
    meaning: 'Readers of streams who may be connected to one server at once, in all and for one tenant.',
    fallback: 'process=1000,tenant=250',
    schema: readersSchema,
  },
  pollMinMs: {
    name: 'HEADSTONE_POLL_MIN_MS',
    meaning: 'From the launch to the first look.',
    fallback: '2000',
    schema: durationMs(10),
  },
  pollMaxMs: {
    name: 'HEADSTONE_POLL_MAX_MS',
    meaning: 'Between two looks, at the most.',
    fallback: '30000',
    schema: durationMs(10),
  },
  settleFirstMs: {
    name: 'HEADSTONE_SETTLE_FIRST_MS',
    meaning:
      'From the outcome to the first look at an unwanted response; the others come at 3, 12, 36 and 360 times this.',
    fallback: '5000',
    schema: durationMs(10),
  },
  settleWindowMs: {
    name: 'HEADSTONE_SETTLE_WINDOW_MS',
    meaning: 'From the outcome to the last look at an unwanted response.',
    fallback: String(HOUR_MS),
    schema: durationMs(10),
  },
  retentionFloorMs: {
    name: 'HEADSTONE_RETENTION_FLOOR_MS',
    meaning: 'Age of a response at which it is looked at once more: the provider may delete it after ten minutes.',
    fallback: String(9 * 60_000),
    schema: durationMs(10),
  },
  streamSilenceMs: {
    name: 'HEADSTONE_STREAM_SILENCE_MS',
    meaning: 'How long a stream may be silent before the response is asked for by a GET.',
    fallback: '60000',
    schema: durationMs(10),
  },
  launchTimeoutMs: {
    name: 'HEADSTONE_LAUNCH_TIMEOUT_MS',
    meaning: 'How long a create may take before it counts as unknown.',
    fallback: '60000',
    schema: durationMs(10),
  },
  unknownGraceMs: {
    name: 'HEADSTONE_UNKNOWN_GRACE_MS',
    meaning: 'How long an unknown launch waits for its response’s id to turn up before the job fails.',
    fallback: '30000',
    schema: durationMs(10),
  },
  deadlineMs: {
    name: 'HEADSTONE_DEADLINE_MS',
    meaning: 'Life of a job that asked for no deadline of its own.',
    fallback: String(DAY_MS),
    schema: durationMs(10),
  },
  resultTtlMs: {
    name: 'HEADSTONE_RESULT_TTL_MS',
    meaning: 'How long a result is kept.',
    fallback: String(DAY_MS),
    schema: durationMs(10),
  },
  recordTtlMs: {
    name: 'HEADSTONE_RECORD_TTL_MS',
    meaning: 'How long an ended job’s record is kept.',
    fallback: String(30 * DAY_MS),
    schema: durationMs(10),
  },
  ledgerTtlMs: {
    name: 'HEADSTONE_LEDGER_TTL_MS',
    meaning: 'How long a ledger row is kept.',
    fallback: String(90 * DAY_MS),
    // A provider keeps a response for 30 days, and by its row we know that a cancel has refused it.
    schema: durationMs(30 * DAY_MS),
  },
  sumsTtlMs: {
    name: 'HEADSTONE_SUMS_TTL_MS',
    meaning: 'How long a day’s sums are kept.',
    fallback: String(760 * DAY_MS),
    schema: durationMs(DAY_MS),
  },
  lockMs: {
    name: 'HEADSTONE_LOCK_MS',
    meaning: 'How long a silent worker keeps an activation; half of it is the interval of the check for stalled ones.',
    fallback: '8000',
    schema: durationMs(1000),
  },
  waitReplicas: {
    name: 'HEADSTONE_WAIT_REPLICAS',
    meaning: 'Replicas that must hold an outcome before it is acknowledged.',
    fallback: '0',
    schema: wholeNumber(0, 10),
  },
  maxRequestBytes: {
    name: 'HEADSTONE_MAX_REQUEST_BYTES',
    meaning: 'Size of one request as JSON.',
    fallback: '1000000',
    schema: wholeNumber(1000),
  },
  prices: {
    name: 'HEADSTONE_PRICES',
    meaning: 'JSON over the built-in price table: deployments, models, discounts, tiers.',
    fallback: '{}',
    schema: json.pipe(priceSettingsSchema),
  },
  passthrough: {
    name: 'HEADSTONE_PASSTHROUGH',
    meaning:
      '1 lets the server pass on what is not a background response, under OPENAI_API_KEY; where several tenants have keys, only what leaves nothing behind that another could read.',
    fallback: '0',
    schema: flag,
  },
  cliApiKey: {
    name: 'HEADSTONE_API_KEY',
    meaning: 'The key that the CLI signs in with, where a command has --server.',
    fallback: undefined,
    schema: z.string().optional(),
  },
  live: {
    name: 'HEADSTONE_LIVE',
    meaning: '1 lets demo, dev and the contract tests spend real money.',
    fallback: '0',
    schema: flag,
  },
  logLevel: {
    name: 'LOG_LEVEL',
    meaning: 'debug, info, warn, error or silent.',
    fallback: 'info',
    schema: z.enum(['debug', 'info', 'warn', 'error', 'silent'], {
      error: 'must be debug, info, warn, error or silent',
    }),
  },
} as const satisfies Record<string, { name: string; meaning: string; fallback: string | undefined; schema: z.ZodType }>;

export type SettingKey = keyof typeof settings;
export type Configuration = { [Key in SettingKey]: z.output<(typeof settings)[Key]['schema']> };
