import { z } from 'zod';

export const queueNames = ['launch', 'poll', 'settle'] as const;
export type QueueName = (typeof queueNames)[number];

/** Of the id of every entry of ours: BullMQ refuses one that is only digits. */
export const ENTRY_PREFIX = 'hs-';

/** `notify` is no queue of ours: the entry tells the app's own. */
export type WorkKind = QueueName | 'notify';

/** One line of the outbox: a queue entry that is due, written in the same step as the state that needs it (I5). */
export interface Work {
  queue: WorkKind;
  /** Of the job; in the settle queue, of the response. */
  id: string;
  /** Redis' clock, milliseconds. */
  dueAt: number;
  priority: number;
  /** As it stands in the outbox, to clear exactly this line. */
  line: string;
}

/** An id may hold anything, the bar and the end of a line too. */
const linePattern = /^(launch|poll|settle|notify)\|([\s\S]+)\|(\d+)\|(\d+)$/;

export function parseWork(line: string): Work {
  const [, queue, id, dueAt, priority] = linePattern.exec(line) ?? [];
  if (!queue || !id) throw new Error('A line of the outbox cannot be read: another version of Headstone wrote it.');
  return { queue: queue as WorkKind, id, dueAt: Number(dueAt), priority: Number(priority), line };
}

export const workSchema = z
  .array(z.string())
  .default([])
  .transform(lines => lines.map(parseWork));
