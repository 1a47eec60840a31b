import { randomBytes } from 'node:crypto';
import { HeadstoneError, parseInput } from '../shared/contract/errors.ts';
import { type EnqueueOptions, enqueueOptionsSchema, requestSchema } from '../shared/contract/request.ts';
import { DEFAULT_TENANT } from '../shared/contract/words.ts';
import { fingerprint } from '../shared/runtime/canonical.ts';
import type { Configuration } from '../shared/runtime/settings.ts';

export interface NewJob {
  /** The body of `openai.responses.create`, without `background`, `store` and `stream`: they are ours. */
  request: unknown;
  options?: EnqueueOptions;
}

/** Checks a request and its options, and turns them into what the script stores. */
export function acceptance(job: NewJob, configuration: Configuration, position: number | null) {
  try {
    return check(job, configuration);
  } catch (error) {
    if (!(error instanceof HeadstoneError) || position === null) throw error;
    throw new HeadstoneError(
      error.code,
      `Job ${position + 1} of the list: ${error.message} Nothing of the list was enqueued.`,
      { param: error.param ?? '' },
    );
  }
}

function check({ request, options = {} }: NewJob, configuration: Configuration) {
  const { background, store, stream, ...wanted } = parseInput(requestSchema, request);
  const chosen = parseInput(enqueueOptionsSchema, options);
  const body = JSON.stringify(wanted);
  const bytes = Buffer.byteLength(body);
  if (bytes > configuration.maxRequestBytes)
    throw new HeadstoneError(
      'invalid_request',
      `The request has ${bytes} bytes and the limit is ${configuration.maxRequestBytes}: shorten it, or raise HEADSTONE_MAX_REQUEST_BYTES.`,
      { param: 'input' },
    );
  const tags = [...new Set(chosen.tags ?? [])];
  return {
    given: {
      id: chosen.id ?? newJobId(),
      tenant: chosen.tenant ?? DEFAULT_TENANT,
      tags: JSON.stringify(tags),
      tag_list: tags,
      model: wanted.model,
      fingerprint: fingerprint(wanted),
      deadline_ms: chosen.deadlineMs ?? configuration.deadlineMs,
      priority: chosen.priority ?? 0,
      attempts: chosen.attempts ?? 1,
      on_unknown: chosen.onUnknownLaunch ?? ('fail' as const),
      stream: stream === true,
      ...(chosen.notify ? { notify: JSON.stringify(chosen.notify) } : {}),
    },
    request: wanted,
    body,
  };
}

/** In the shape of the provider's own ids, so that clients that check it are content. */
export function newJobId(): string {
  return `resp_${randomBytes(16).toString('hex')}`;
}
