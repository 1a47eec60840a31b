import { z } from 'zod';
import { launchSchema } from '../contract/job.ts';
import { readAs } from './read-as.ts';

/** The version before stored codes as the provider sent them, numbers too. */
const storedLaunchSchema = launchSchema.extend({
  code: z
    .union([z.string(), z.number().transform(String)])
    .nullish()
    .catch(null)
    .transform(code => code ?? null),
  response_id: z
    .string()
    .nullish()
    .catch(null)
    .transform(id => id ?? null),
  /** Left out while it is the job's newest launch, whose time the job has as `running_at`. */
  acknowledged_at: z.number().optional(),
});
export type StoredLaunch = z.infer<typeof storedLaunchSchema>;

/** The fields of a record that tell its launches. Those of earlier ones are JSON, under `launch:EPOCH`. */
interface LaunchFields extends Record<string, unknown> {
  epoch?: number | undefined;
  intended_at?: number | undefined;
  response_id?: string | undefined;
}

/** The launches of a job, the newest last, and the fields that could not be read. */
export function launchesOf(record: LaunchFields): { launches: StoredLaunch[]; unreadable: string[] } {
  const fields = Object.entries(record).filter(([field]) => field.startsWith('launch:'));
  const read = fields.map(([field, text]) => ({ field, ...readAs(storedLaunchSchema, text) }));
  const newest = `launch:${record.epoch}` in record ? [] : newestLaunchOf(record);
  return {
    launches: [...read.flatMap(({ value }) => value ?? []), ...newest].sort((left, right) => left.epoch - right.epoch),
    unreadable: read.flatMap(({ field, value }) => (value ? [] : [field])),
  };
}

/** The same as `launch_of` in Lua: an ordinary launch is told by the job's own fields. */
function newestLaunchOf({ epoch, intended_at: at, response_id: responseId }: LaunchFields): StoredLaunch[] {
  if (epoch === undefined || at === undefined) return [];
  const state = responseId === undefined ? 'intended' : 'acknowledged';
  return [{ epoch, at, state, response_id: responseId ?? null, code: null }];
}
