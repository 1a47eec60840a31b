import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { HeadstoneError, parseInput } from '../shared/contract/errors.ts';
import { type AdoptOptions, adoptOptionsSchema } from '../shared/contract/request.ts';
import { responseIdSchema } from '../shared/contract/response.ts';
import { DEFAULT_TENANT, type JobStatus, jobIdSchema, UNKNOWN_MODEL } from '../shared/contract/words.ts';
import type { Configuration } from '../shared/runtime/settings.ts';
import type { Store } from '../shared/store/store.ts';
import { checkedCallback } from './callback.ts';
import { lanesMove } from './enqueue-errors.ts';
import { activePlace } from './enqueue-traces.ts';

const RETRY_MS = 100;
const TRIES = 30;
const CLAIM_MS = 60_000;

/** KEYS: the claim. ARGV: whose it has to be. */
const removeOwn = `#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`;

export async function adoptResponse(
  store: Store,
  configuration: Configuration,
  responseId: string,
  options: AdoptOptions,
): Promise<{ id: string; status: JobStatus }> {
  const chosen = parseInput(adoptOptionsSchema, options);
  parseInput(z.object({ id: responseIdSchema }), { id: responseId });
  const id = chosen.id ?? responseId;
  if (!jobIdSchema.safeParse(id).success)
    throw new HeadstoneError(
      'invalid_request',
      'The response’s id cannot be used as a job’s id. Set the option id to 1 to 64 characters from A-Z, a-z, 0-9, "_" and "-".',
      { param: 'id' },
    );
  const tags = [...new Set(chosen.tags ?? [])];
  const tenant = chosen.tenant ?? DEFAULT_TENANT;
  const trace = await activePlace();
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    // What is placed by this number is refused by its lane if the number was raised since.
    const { count } = await store.currentPlan();
    const lane = await store.laneOf(id);
    // By Redis' clock and not by this machine's (I15). Half of the claim is left for the step itself to arrive in.
    if (store.lanes.length > 1) await lane.readClock();
    const claimed_until = store.lanes.length > 1 ? lane.now() + CLAIM_MS / 2 : undefined;
    await claim(store, responseId, id, tenant);
    const reply = await lane.run('adopt', {
      id,
      response_id: responseId,
      tenant,
      tags: JSON.stringify(tags),
      tag_list: tags,
      model: chosen.model ?? UNKNOWN_MODEL,
      deadline_ms: chosen.deadlineMs ?? configuration.deadlineMs,
      callback: checkedCallback(chosen.callbackUrl, configuration),
      trace,
      notify: chosen.notify && JSON.stringify(chosen.notify),
      lanes: count,
      claimed_until,
    });
    switch (reply.reply) {
      case 'adopted':
        await lane.outbox.carryOutQuietly(reply.work);
        return { id, status: 'running' };
      case 'same':
        return { id, status: reply.status };
      case 'conflict':
        await giveUpClaim(store, responseId, id);
        throw conflict(id, responseId);
      case 'taken':
        await giveUpClaim(store, responseId, id);
        throw notYours(id);
      case 'late':
        continue;
      case 'misplaced':
        await sleep(RETRY_MS);
        if (attempt === TRIES / 2) await store.openFences();
        await store.learnPlan();
    }
  }
  throw lanesMove();
}

/**
 * Of two jobs in two lanes, only one may adopt a response. Whoever adopts it claims it first, in the lane of the response's id,
 * for longer than adopting can take; afterwards its row is found, in whichever lane it is. So is the row of a launch's response.
 */
async function claim(store: Store, responseId: string, id: string, tenant: string): Promise<void> {
  const lanes = await store.allLanes();
  if (lanes.length === 1) return;
  const directory = await store.laneToMake(responseId);
  const place = directory.keys.adopted(responseId);
  const adopter = await directory.ask(client => client.set(place, id, 'PX', CLAIM_MS, 'NX', 'GET'));
  if (adopter !== null && adopter !== id) throw conflict(id, responseId);
  const row = await store.row(responseId);
  if (row && row.job_id !== id) throw row.tenant === tenant ? conflict(id, responseId) : notYours(id);
}

/** Another id may adopt the response at once. If this fails, it may in a minute. */
async function giveUpClaim(store: Store, responseId: string, id: string): Promise<void> {
  const directory = await store.laneToMake(responseId);
  const place = directory.keys.adopted(responseId);
  await directory.ask(client => client.eval(removeOwn, 1, place, id)).catch(() => {});
}

function conflict(id: string, responseId: string): HeadstoneError {
  return new HeadstoneError(
    'id_conflict',
    `Job ${id} already exists with another response, or response ${responseId} already belongs to another job. Nothing was adopted.`,
  );
}

function notYours(id: string): HeadstoneError {
  return new HeadstoneError('id_taken', `The id ${id} is taken, so nothing was adopted. Use another id.`, {
    param: 'id',
  });
}
