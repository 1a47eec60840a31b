import type { z } from 'zod';

/** The codes of errors, for programs. `retryable`: the same call may succeed later. */
const codes = {
  invalid_request: { retryable: false },
  unsupported_parameter: { retryable: false },
  insufficient_permissions: { retryable: false },
  id_conflict: { retryable: false },
  id_taken: { retryable: false },
  job_not_found: { retryable: false },
  cancellation_not_found: { retryable: false },
  result_expired: { retryable: false },
  too_many_streams: { retryable: true },
  wait_timeout: { retryable: true },
  not_durable: { retryable: true },
  store_unreachable: { retryable: true },
  store_refused: { retryable: true },
  store_unsuitable: { retryable: false },
  configuration: { retryable: false },
} as const;
export type ErrorCode = keyof typeof codes;

/** False for a provider's code that was passed on. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(codes, code);
}

/** An error with a code for programs and a message for people, which says what happened and what to do. */
export class HeadstoneError extends Error {
  override readonly name = 'HeadstoneError';
  readonly code: ErrorCode;
  /** The field that was wrong; null if it was none. */
  readonly param: string | null;

  constructor(code: ErrorCode, message: string, options: { param?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.param = options.param ?? null;
  }

  get retryable(): boolean {
    return codes[this.code].retryable;
  }
}

const publicReasons: Partial<Record<ErrorCode, string>> = {
  store_unreachable: 'The store is not answering. Try again.',
  store_refused: 'The store answers but refuses writes at the moment. Try again.',
  store_unsuitable: 'Headstone cannot use its store, and trying again will not help. The log says why.',
};

/** The message of an error for people who may not learn where the store is. */
export function publicMessage(error: unknown): string {
  if (!(error instanceof HeadstoneError)) return 'Headstone is not ready.';
  return publicReasons[error.code] ?? error.message;
}

/** Listing a hundred thousand problems would be an attack on the reader and on this process. */
const MOST_PROBLEMS = 10;

/** Parses a caller's input. Throws `invalid_request`, which names the first ten problems and repeats no value of the caller (I13). */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const [first] = issues;
  const problems = issues.slice(0, MOST_PROBLEMS).map(problemOf);
  if (issues.length > MOST_PROBLEMS)
    problems.push(`and ${issues.length - MOST_PROBLEMS} more problem${issues.length - MOST_PROBLEMS === 1 ? '' : 's'}`);
  throw new HeadstoneError('invalid_request', `${problems.join('; ')}.`, {
    ...(first && first.path.length > 0 ? { param: fieldName(first.path) } : {}),
  });
}

const LONGEST_KEY = 40;

function problemOf(issue: z.core.$ZodIssue): string {
  const field = fieldName(issue.path);
  if (issue.code !== 'unrecognized_keys') return `${field} ${inWords(issue.message)}`;
  const [key = ''] = issue.keys;
  const others = issue.keys.length > 1 ? ` and ${issue.keys.length - 1} more` : '';
  return `${field} has an unknown key: "${key.slice(0, LONGEST_KEY)}"${others}`;
}

/** Headstone's messages end a sentence that begins with the field. This makes zod's messages do so too. */
export function inWords(message: string): string {
  return message
    .replace(/^Invalid input: expected \w+, received undefined$/, 'is missing')
    .replace(/^Invalid input: /, 'is wrong: ')
    .replace(/^Too big: expected \w+ to be <=(\S+)$/, 'must be at most $1')
    .replace(/^Too small: expected \w+ to be >=(\S+)$/, 'must be at least $1')
    .replace(/^Too (big|small): /, 'is too $1: ')
    .replace(/^Unrecognized key: /, 'has an unknown key: ')
    .replace(/^Unrecognized keys: /, 'has unknown keys: ')
    .replace(/^Invalid option: expected one of (.+)$/, (_, options: string) => `must be one of ${optionsIn(options)}`)
    .replace(/^Invalid (\w+)/, 'is not a valid $1');
}

/** `queued, running` of zod's `"queued"|"running"`. */
function optionsIn(text: string): string {
  return text.replaceAll('"', '').replaceAll('|', ', ');
}

/** The name of a field. Keys of metadata are free text of the caller, so they are left out (I13). */
function fieldName(path: PropertyKey[]): string {
  return (path[0] === 'metadata' ? 'metadata' : path.join('.')) || 'the request';
}
