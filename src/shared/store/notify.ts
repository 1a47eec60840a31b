import { notifySchema } from '../contract/request.ts';
import type { Queues } from './queues.ts';
import type { JobRecord } from './record.ts';

/** Tells the app's queue an outcome: it adds one job, under an id that makes adding it again harmless. */
export async function notifyApp(queues: Queues, record: JobRecord | null, now: number): Promise<void> {
  // The status comes from the record, so after a cancel that won it is never `completed` (I1).
  if (!record?.notify || record.decided_at === undefined) return;
  const target = notifySchema.parse(JSON.parse(record.notify));
  await queues.tellApp(target, { id: record.id, status: record.status }, { createdAt: record.created_at, now });
}
