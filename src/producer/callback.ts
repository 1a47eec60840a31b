import { HeadstoneError } from '../shared/contract/errors.ts';
import { problemOfCallback } from '../shared/runtime/callback-url.ts';
import type { Configuration } from '../shared/runtime/settings.ts';
import type { Store } from '../shared/store/store.ts';

/** The URL as it was given. Throws `invalid_request` if no worker would send anything there. */
export function checkedCallback(
  url: string | undefined,
  { callbackHosts }: Pick<Configuration, 'callbackHosts'>,
): string | undefined {
  const problem = url === undefined ? null : problemOfCallback(url, callbackHosts);
  if (problem !== null)
    throw new HeadstoneError('invalid_request', `The callback URL ${problem}.`, { param: 'callback_url' });
  return url;
}

/** Sends the message about a job's outcome again. Throws `job_not_found` or `invalid_request`. */
export async function resendCallback(store: Store, id: string): Promise<void> {
  const lane = await store.laneOf(id);
  const { reply, work } = await lane.run('resend_callback', { id });
  switch (reply) {
    case 'missing':
      throw new HeadstoneError('job_not_found', `There is no job ${id}.`);
    case 'no_callback':
      throw new HeadstoneError('invalid_request', `Job ${id} was enqueued without a callback_url.`);
    case 'still_open':
      throw new HeadstoneError('invalid_request', `Job ${id} has not ended, so there is nothing to send yet.`);
    case 'resent':
      await lane.outbox.carryOutQuietly(work);
  }
}
