import { HeadstoneError, parseInput } from '../shared/contract/errors.ts';
import { type EnqueueOptions, enqueueOptionsSchema, requestSchema } from '../shared/contract/request.ts';
import { DEFAULT_TENANT, UNKNOWN_MODEL } from '../shared/contract/words.ts';
import { fingerprint } from '../shared/runtime/canonical.ts';
import { withMembers } from '../shared/runtime/json-members.ts';
import type { Configuration } from '../shared/runtime/settings.ts';
import { ATTENDED_FOR_MS } from '../shared/store/lua/attend.ts';
import { checkedCallback } from './callback.ts';
import { piecesOf, previewOf } from './preview.ts';

export interface NewJob {
  /** The body of `openai.responses.create`. Headstone sets `background` and `store` itself. */
  request: unknown;
  options?: EnqueueOptions;
  /** What Headstone's server knows of the caller. Apps leave it out. */
  caller?: {
    /** The id that the caller chose. `options.id` was made from it. */
    chosenId?: string | undefined;
    /** The request's text, so that it reaches the provider unchanged. */
    text?: string | undefined;
    /** The number of lanes by which `options.id` was made. */
    lanes?: number | undefined;
    /** The process that attends the job, if its callers wait for it. */
    attendedBy?: string | undefined;
    /** True if other tenants use the same account at the provider. */
    sharesAccount: boolean;
  };
}

/** How a job gets an id if the app gives it none, and by how many lanes it is placed. */
export interface Placing {
  newId(): string;
  lanes: number;
}

/** Checks a request and its options, and turns them into what the script stores. */
export function acceptance(job: NewJob, configuration: Configuration, placing: Placing, position: number | null) {
  try {
    return check(job, configuration, placing);
  } catch (error) {
    if (!(error instanceof HeadstoneError) || position === null) throw error;
    throw new HeadstoneError(
      error.code,
      `Job ${position + 1} in the list: ${error.message} Nothing in the list was enqueued.`,
      { param: error.param ?? '' },
    );
  }
}

function check({ request, options = {}, caller }: NewJob, configuration: Configuration, { newId, lanes }: Placing) {
  const { background, store, stream, ...wanted } = parseInput(requestSchema, request);
  const chosen = parseInput(enqueueOptionsSchema, options);
  const body = bodyOf(wanted, caller?.text);
  const bytes = Buffer.byteLength(body);
  if (bytes > configuration.maxRequestBytes)
    throw new HeadstoneError(
      'invalid_request',
      `The request has ${bytes} bytes, and the limit is ${configuration.maxRequestBytes}. Shorten it, or raise HEADSTONE_MAX_REQUEST_BYTES.`,
      { param: 'input' },
    );
  const tags = [...new Set(chosen.tags ?? [])];
  const chosenId = caller?.chosenId;
  const window = wanted.background_options?.completion_window;
  return {
    sharesAccount: caller?.sharesAccount ?? false,
    given: {
      id: chosen.id ?? newId(),
      tenant: chosen.tenant ?? DEFAULT_TENANT,
      ...(tags.length > 0 ? { tags: JSON.stringify(tags), tag_list: tags } : {}),
      model: wanted.model ?? UNKNOWN_MODEL,
      preview: configuration.promptPreview ? piecesOf(previewOf(wanted.input)) : [],
      fingerprint: fingerprint(exactly(wanted, body)),
      deadline_ms: chosen.deadlineMs ?? configuration.deadlineMs,
      priority: chosen.priority,
      attempts: chosen.attempts,
      on_unknown: chosen.onUnknownLaunch,
      stream: stream || undefined,
      ...(caller?.attendedBy === undefined ? {} : { attended_by: caller.attendedBy, attended_for_ms: ATTENDED_FOR_MS }),
      on_hold: chosen.onHold === 'fail' ? ('fail' as const) : undefined,
      callback: checkedCallback(chosen.callbackUrl, configuration),
      notify: chosen.notify && JSON.stringify(chosen.notify),
      include: Array.isArray(wanted.include) ? JSON.stringify(wanted.include) : undefined,
      completion_window: window,
      chosen_id: chosenId,
      is_named: (chosenId === undefined && chosen.id !== undefined) || undefined,
      is_new: chosen.id === undefined || undefined,
      // Any lane may have an id that was drawn by chance, and only several of them need a common order.
      lanes: chosen.id === undefined && lanes === 1 ? undefined : (caller?.lanes ?? lanes),
    },
    request: wanted,
    body,
  };
}

/** Since Node 22 JSON.parse passes the source text. TypeScript's types do not have it yet. */
type Reviver = (name: string, value: unknown, context?: { source?: string }) => unknown;

/** Replaces numbers that JavaScript cannot hold by their text, so that requests which differ only in them have two fingerprints. */
function exactly(wanted: object, body: string): unknown {
  if (!/\d{16}/.test(body)) return wanted;
  const reviver: Reviver = (_name, value, context) =>
    typeof value === 'number' && context?.source !== undefined && String(value) !== context.source
      ? `number ${context.source}`
      : value;
  return JSON.parse(body, reviver as Parameters<typeof JSON.parse>[1]);
}

/** The request that is stored: the caller's text without Headstone's own members. */
function bodyOf(wanted: Record<string, unknown>, text: string | undefined): string {
  if (text === undefined) return JSON.stringify(wanted);
  return withMembers(text, {
    headstone: undefined,
    background: undefined,
    store: undefined,
    stream: undefined,
    // The check trimmed it.
    ...(wanted.model === undefined ? {} : { model: JSON.stringify(wanted.model) }),
  });
}
