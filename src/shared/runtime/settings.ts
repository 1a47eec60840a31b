import { z } from 'zod';
import {
  apiKeysSchema,
  basePathSchema,
  concurrencySchema,
  durationMs,
  flag,
  hostsSchema,
  json,
  logLevelSchema,
  port,
  prefixSchema,
  priceSettingsSchema,
  proxiesSchema,
  readersSchema,
  redisUrlSchema,
  secretsSchema,
  wholeNumber,
} from './setting-formats.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Every setting: its name, its meaning, its default as a person would write it, and its schema. */
export const settings = {
  redisUrl: {
    name: 'REDIS_URL',
    meaning:
      'The address of the store: Redis 7.0 or newer, or Valkey, with maxmemory-policy noeviction. With Sentinels: redis+sentinel://host:26379,host:26379/mymaster. A cluster: several of its nodes, redis://host:6379,host:6379. The default is redis://127.0.0.1:6379; demo, dev and the tests start their own store instead.',
    fallback: undefined,
    schema: redisUrlSchema.optional(),
  },
  openaiApiKey: {
    name: 'OPENAI_API_KEY',
    meaning: 'The provider’s API key. The simulator accepts any.',
    fallback: undefined,
    schema: z.string().optional(),
  },
  openaiBaseUrl: {
    name: 'OPENAI_BASE_URL',
    meaning: 'The provider’s base URL. On Azure: https://RESOURCE.openai.azure.com/openai/v1/.',
    fallback: undefined,
    schema: z.url({ protocol: /^https?$/, error: 'must start with http:// or https://' }).optional(),
  },
  openaiWebhookSecrets: {
    name: 'OPENAI_WEBHOOK_SECRET',
    meaning:
      'The secret with which the provider signs its webhooks, for the server. While it is rotated: both, separated by a comma. Without it the server takes no webhooks.',
    fallback: undefined,
    schema: secretsSchema.optional(),
  },
  prefix: {
    name: 'HEADSTONE_PREFIX',
    meaning: 'The prefix of every key in Redis. The braces keep all keys of a lane on one node of a Redis Cluster.',
    fallback: '{headstone}',
    schema: prefixSchema,
  },
  lanes: {
    name: 'HEADSTONE_LANES',
    meaning:
      'How many lanes the jobs are spread over, and so over the nodes of a Redis Cluster. Left out, a process takes what the deployment has, and a new deployment has 1. “headstone lanes raise N” raises it while everything runs.',
    fallback: undefined,
    schema: wholeNumber(1, 99).optional(),
  },
  port: { name: 'HEADSTONE_PORT', meaning: 'The port of the server.', fallback: '3000', schema: port },
  host: {
    name: 'HEADSTONE_HOST',
    meaning:
      'The address to listen on, for a server with sign-in and for a worker’s health endpoints. The default is every interface, IPv6 included. A server without sign-in listens on 127.0.0.1 and ::1 only, unless it is started with --insecure-listen.',
    fallback: undefined,
    schema: z.string().min(1).max(255).optional(),
  },
  basePath: {
    name: 'HEADSTONE_BASE_PATH',
    meaning: 'The path under which a proxy publishes the server, like /headstone. Links and redirects begin with it.',
    fallback: '',
    schema: basePathSchema,
  },
  trustedProxies: {
    name: 'HEADSTONE_TRUSTED_PROXIES',
    meaning:
      'The addresses or ranges of the proxies in front, separated by commas, like 10.0.0.0/8. Only their x-forwarded-for, -proto and -prefix headers are believed.',
    fallback: undefined,
    schema: proxiesSchema.optional(),
  },
  healthPort: {
    name: 'HEADSTONE_HEALTH_PORT',
    meaning: 'The port of a worker’s health and metrics endpoints. Without it a worker listens on no port.',
    fallback: undefined,
    schema: port.optional(),
  },
  apiKeys: {
    name: 'HEADSTONE_API_KEYS',
    meaning: 'Who may use the server, as JSON: a list of {"name", "key" or "sha256", "tenant", "admin"?}.',
    fallback: undefined,
    schema: json.pipe(apiKeysSchema).optional(),
  },
  apiKeysFile: {
    name: 'HEADSTONE_API_KEYS_FILE',
    meaning: 'The path of a file that holds the same list. Without a list the server answers its own machine only.',
    fallback: undefined,
    schema: z.string().optional(),
  },
  maxInFlight: {
    name: 'HEADSTONE_MAX_IN_FLIGHT',
    meaning:
      'How many responses may run at the provider at once, across all workers. Responses that are only watched do not count.',
    fallback: '100',
    schema: wholeNumber(1),
  },
  pollsPerSecond: {
    name: 'HEADSTONE_POLLS_PER_SECOND',
    meaning: 'How many polls of running responses are sent per second, across all workers.',
    fallback: '50',
    schema: wholeNumber(1),
  },
  concurrency: {
    name: 'HEADSTONE_CONCURRENCY',
    meaning:
      'How many entries of each queue one worker works on at once, and how many streams it follows, each of which holds a connection.',
    fallback: 'launch=10,poll=50,settle=10,callback=10,stream=50',
    schema: concurrencySchema,
  },
  streamReaders: {
    name: 'HEADSTONE_STREAM_READERS',
    meaning:
      'How many readers of streams, and calls that wait for an upgraded job, one server accepts at once, in total and per tenant.',
    fallback: 'process=1000,tenant=250',
    schema: readersSchema,
  },
  pollMinMs: {
    name: 'HEADSTONE_POLL_MIN_MS',
    meaning: 'The time from the launch to the first poll.',
    fallback: '2000',
    schema: durationMs(10),
  },
  pollMaxMs: {
    name: 'HEADSTONE_POLL_MAX_MS',
    meaning: 'The longest time between two polls.',
    fallback: '30000',
    schema: durationMs(10),
  },
  settleFirstMs: {
    name: 'HEADSTONE_SETTLE_FIRST_MS',
    meaning:
      'The time from the outcome to the first observation of an unwanted response. The later ones follow at 3, 12, 36 and 360 times this value.',
    fallback: '5000',
    schema: durationMs(10),
  },
  settleWindowMs: {
    name: 'HEADSTONE_SETTLE_WINDOW_MS',
    meaning: 'The time from the outcome to the last observation of an unwanted response.',
    fallback: String(HOUR_MS),
    schema: durationMs(10),
  },
  retentionFloorMs: {
    name: 'HEADSTONE_RETENTION_FLOOR_MS',
    meaning: 'The age at which a response is observed once more, because the provider may delete it after ten minutes.',
    fallback: String(9 * 60_000),
    schema: durationMs(10),
  },
  streamSilenceMs: {
    name: 'HEADSTONE_STREAM_SILENCE_MS',
    meaning: 'How long a stream may be silent before its response is polled.',
    fallback: '60000',
    schema: durationMs(10),
  },
  launchTimeoutMs: {
    name: 'HEADSTONE_LAUNCH_TIMEOUT_MS',
    meaning: 'How long a create may take before the launch counts as unknown.',
    fallback: '60000',
    schema: durationMs(10),
  },
  unknownGraceMs: {
    name: 'HEADSTONE_UNKNOWN_GRACE_MS',
    meaning:
      'How long a job with an unknown launch waits for the id of its response before it fails. While the provider’s webhooks arrive, at least 15 minutes.',
    fallback: '30000',
    schema: durationMs(10),
  },
  deadlineMs: {
    name: 'HEADSTONE_DEADLINE_MS',
    meaning: 'The deadline of a job that was enqueued without one, from its creation.',
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
    // A provider keeps a response for 30 days, and the row is how a refused one is recognized until then.
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
    meaning:
      'How long a worker that has gone silent keeps the queue entries it was handling. Other workers check for such entries at half this interval.',
    fallback: '8000',
    schema: durationMs(1000),
  },
  waitReplicas: {
    name: 'HEADSTONE_WAIT_REPLICAS',
    meaning: 'How many replicas must hold an outcome before it is acknowledged.',
    fallback: '0',
    schema: wholeNumber(0, 10),
  },
  maxRequestBytes: {
    name: 'HEADSTONE_MAX_REQUEST_BYTES',
    meaning: 'The largest size of a request, in bytes of JSON.',
    fallback: '1000000',
    schema: wholeNumber(1000),
  },
  prices: {
    name: 'HEADSTONE_PRICES',
    meaning:
      'Prices that extend or replace the built-in table, as JSON: deployments, models, discounts, tiers, windows.',
    fallback: '{}',
    schema: json.pipe(priceSettingsSchema),
  },
  passthrough: {
    name: 'HEADSTONE_PASSTHROUGH',
    meaning:
      '1 makes the server pass other calls on to the provider, with OPENAI_API_KEY. Where several tenants have keys, a key without admin rights can make only calls that leave nothing behind for another tenant to read.',
    fallback: '0',
    schema: flag,
  },
  callbackHosts: {
    name: 'HEADSTONE_CALLBACK_HOSTS',
    meaning:
      'Hosts to which callbacks may be sent although they are not public or have no https, as host or host:port, separated by commas. Set it for workers, and wherever jobs are enqueued.',
    fallback: '',
    schema: hostsSchema,
  },
  cliApiKey: {
    name: 'HEADSTONE_API_KEY',
    meaning: 'The key with which the CLI signs in at the server that --server names.',
    fallback: undefined,
    schema: z.string().optional(),
  },
  upgrade: {
    name: 'HEADSTONE_UPGRADE',
    meaning:
      '1 makes the server run creates without background as jobs, too: the call waits for the outcome, and a caller who goes away cancels it. A request chooses for itself with the header x-headstone-upgrade: 1 or 0.',
    fallback: '0',
    schema: flag,
  },
  disconnectGraceMs: {
    name: 'HEADSTONE_DISCONNECT_GRACE_MS',
    meaning:
      'How long an upgraded job waits for its caller to send the request again after the connection was lost, before it is cancelled.',
    fallback: '5000',
    schema: durationMs(0),
  },
  promptPreview: {
    name: 'HEADSTONE_PROMPT_PREVIEW',
    meaning:
      '1 stores the first 120 characters of each prompt in its job’s record, for lists and searches. 0 leaves them out of new jobs’ records.',
    fallback: '1',
    schema: flag,
  },
  live: {
    name: 'HEADSTONE_LIVE',
    meaning: '1 makes demo, dev and the contract tests use the real provider, which costs real money.',
    fallback: '0',
    schema: flag,
  },
  logLevel: {
    name: 'LOG_LEVEL',
    meaning: 'The least severe level that is logged: debug, info, warn, error or silent.',
    fallback: 'info',
    schema: logLevelSchema,
  },
} as const satisfies Record<string, { name: string; meaning: string; fallback: string | undefined; schema: z.ZodType }>;

export type SettingKey = keyof typeof settings;
export type Configuration = { [Key in SettingKey]: z.output<(typeof settings)[Key]['schema']> };
