import { randomUUID } from 'node:crypto';
import { HeadstoneError } from '../shared/contract/errors.ts';
import { notifySchema } from '../shared/contract/request.ts';
import { isOutcome } from '../shared/contract/words.ts';
import { withMembers } from '../shared/runtime/json-members.ts';
import { readAs } from '../shared/store/read-as.ts';
import type { Store } from '../shared/store/store.ts';
import type { NewJob } from './acceptance.ts';
import { idOfKey } from './ids.ts';

export interface RetryOptions {
  /** Names the wish, so that the same one sent twice makes one job. */
  key?: string | undefined;
  /** For servers: true if other tenants use the same account at the provider. */
  sharesAccount?: boolean;
}

/**
 * The request of a job that has ended as a new job of the same tenant, with the same tags and options. Throws `job_not_found`,
 * `invalid_request` while the job is open, and `result_expired` if the request is no longer kept.
 */
export async function repeated(
  store: Store,
  id: string,
  { key = randomUUID(), sharesAccount = false }: RetryOptions,
): Promise<NewJob> {
  const lane = await store.laneOf(id);
  const [record, text] = await Promise.all([lane.record(id), lane.request(id)]);
  if (!record)
    throw new HeadstoneError(
      'job_not_found',
      `There is no job ${id}. It was never enqueued, or its record has expired.`,
    );
  if (!isOutcome(record.status))
    throw new HeadstoneError(
      'invalid_request',
      `Job ${id} has not ended, so it cannot run again. Wait for it, or cancel it first.`,
    );
  if (text === null)
    throw new HeadstoneError(
      'result_expired',
      `The request of job ${id} is not kept, so it cannot run again. The job was adopted, deleted, or ended too long ago.`,
    );
  const { headstone_predecessor: _, ...request } = JSON.parse(text) as Record<string, unknown>;
  const named = await idOfKey(store, record.tenant, JSON.stringify(['retry', id, key]));
  return {
    request: { ...request, ...(record.stream === undefined ? {} : { stream: true }) },
    options: {
      id: named.id,
      tenant: record.tenant,
      tags: record.tags,
      priority: record.priority,
      attempts: record.attempts,
      onUnknownLaunch: record.on_unknown,
      deadlineMs: record.deadline_at - record.created_at,
      callbackUrl: record.callback,
      // A job that a caller waits for fails at a hold because of that, and nobody waits for the new one.
      onHold: record.attended === undefined ? record.on_hold : undefined,
      notify: readAs(notifySchema, record.notify).value,
    },
    caller: { text: withMembers(text, { headstone_predecessor: undefined }), lanes: named.lanes, sharesAccount },
  };
}
