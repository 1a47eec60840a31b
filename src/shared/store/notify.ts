import { notifySchema } from '../contract/request.ts';
import type { Store } from './store.ts';

/** Tells the app's own queue of an outcome: one job, under an id that makes a repeat of it harmless. */
export async function notifyApp(store: Store, id: string): Promise<void> {
  const record = await store.record(id);
  // The record decides what is told, so after a cancel that won it is never `completed` (I1).
  if (!record?.notify || record.decided_at === undefined) return;
  const target = notifySchema.parse(JSON.parse(record.notify));
  await store.queues.tellApp(target, { id, status: record.status });
}
