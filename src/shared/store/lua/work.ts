import { z } from 'zod';

export const queueNames = ['launch', 'poll', 'settle', 'callback'] as const;
export type QueueName = (typeof queueNames)[number];

/** The beginning of every entry's id, because BullMQ refuses an id that is only digits. */
export const ENTRY_PREFIX = 'hs-';

/** BullMQ scores a delayed entry by its time in milliseconds times this, plus a counter. */
export const DELAYED_SCORE_UNIT = 0x1000;

/** `notify` is not a queue of Headstone: the entry tells the app's queue an outcome. */
type WorkKind = QueueName | 'notify';

/** An entry that one of the queues should have. */
export interface QueueEntry {
  queue: QueueName;
  /** The job's id; in the settle queue, the response's; in the callback queue, what is told: `outcome:JOB` or `waste:RESPONSE`. */
  id: string;
  /** Milliseconds on Redis' clock. */
  dueAt: number;
  priority: number;
}

/** One line of the outbox: something that is due, written in the same step as the state that needs it (I5). */
export interface Work extends Omit<QueueEntry, 'queue'> {
  queue: WorkKind;
  /** The line itself, so that exactly this one is cleared. */
  line: string;
}

/** A response's id may hold anything, the bar and the end of a line too. */
const linePattern = /^(launch|poll|settle|callback|notify)\|([\s\S]+)\|(\d+)\|(\d+)$/;

export function parseWork(line: string): Work {
  const [, queue, id, dueAt, priority] = linePattern.exec(line) ?? [];
  if (!queue || !id)
    throw new Error('Another version of Headstone wrote this line of the outbox, and it cannot be read.');
  return { queue: queue as WorkKind, id, dueAt: Number(dueAt), priority: Number(priority), line };
}

/** The line; none if a newer version wrote it, whose processes carry it out. */
export function readable(line: string): Work[] {
  return linePattern.test(line) ? [parseWork(line)] : [];
}

export const workSchema = z
  .array(z.string())
  .default([])
  .transform(lines => lines.map(parseWork));
