import { z } from 'zod';
import { HeadstoneError, parseInput } from '../shared/contract/errors.ts';
import { type AdoptOptions, adoptOptionsSchema } from '../shared/contract/request.ts';
import { responseIdSchema } from '../shared/contract/response.ts';
import { DEFAULT_TENANT, type JobStatus, jobIdSchema, UNKNOWN_MODEL } from '../shared/contract/words.ts';
import type { Configuration } from '../shared/runtime/settings.ts';
import type { Store } from '../shared/store/store.ts';

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
      'The response’s id cannot be the id of a job. Give the option id: 1 to 64 characters out of A-Z, a-z, 0-9, "_" and "-".',
      { param: 'id' },
    );
  const tags = [...new Set(chosen.tags ?? [])];
  const reply = await store.run('adopt', {
    id,
    response_id: responseId,
    tenant: chosen.tenant ?? DEFAULT_TENANT,
    tags: JSON.stringify(tags),
    tag_list: tags,
    model: chosen.model ?? UNKNOWN_MODEL,
    deadline_ms: chosen.deadlineMs ?? configuration.deadlineMs,
    notify: chosen.notify && JSON.stringify(chosen.notify),
  });
  switch (reply.reply) {
    case 'adopted':
      await store.outbox.carryOutQuietly(reply.work);
      return { id, status: 'running' };
    case 'same':
      return { id, status: reply.status };
    case 'conflict':
      throw new HeadstoneError(
        'id_conflict',
        `Job ${id} or response ${responseId} is on record already, as another one. Nothing was adopted.`,
      );
    case 'taken':
      throw new HeadstoneError('id_taken', `The id ${id} is taken, so nothing was adopted. Use another id.`, {
        param: 'id',
      });
  }
}
