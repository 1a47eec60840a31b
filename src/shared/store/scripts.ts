import type { z } from 'zod';
import { absent } from './lua/absent.ts';
import { accept } from './lua/accept.ts';
import { adopt } from './lua/adopt.ts';
import { advanceCancellation } from './lua/advance-cancellation.ts';
import { appendEvents } from './lua/append-events.ts';
import { attachStream } from './lua/attach-stream.ts';
import { beginCancellation } from './lua/begin-cancellation.ts';
import { charge } from './lua/charge.ts';
import { decide } from './lua/decide.ts';
import { detachStream } from './lua/detach-stream.ts';
import { erase } from './lua/erase.ts';
import { forget } from './lua/forget.ts';
import { identify } from './lua/identify.ts';
import { intend } from './lua/intend.ts';
import { launched } from './lua/launched.ts';
import { release } from './lua/release.ts';
import { rerun } from './lua/rerun.ts';
import { resend } from './lua/resend.ts';
import { resolve } from './lua/resolve.ts';
import type { Script } from './lua/script.ts';
import type { Retention } from './lua/shapes.ts';
import { stopCancellation } from './lua/stop-cancellation.ts';
import { survey } from './lua/survey.ts';
import { widenInclude } from './lua/widen-include.ts';

/** Every transition by the name that Redis knows it by. */
export const scripts = {
  accept,
  adopt,
  identify,
  intend,
  launched,
  resolve,
  decide,
  rerun,
  charge,
  absent,
  release,
  erase,
  forget,
  resend,
  survey,
  begin_cancellation: beginCancellation,
  advance_cancellation: advanceCancellation,
  stop_cancellation: stopCancellation,
  attach_stream: attachStream,
  append_events: appendEvents,
  detach_stream: detachStream,
  widen_include: widenInclude,
};
export type ScriptName = keyof typeof scripts;
export type ArgumentsOf<Name extends ScriptName> =
  (typeof scripts)[Name] extends Script<infer Arguments, unknown> ? Arguments : never;
export type ReplyOf<Name extends ScriptName> = z.output<(typeof scripts)[Name]['reply']>;

/** Arguments without what the store adds to them itself. */
export type Given<Arguments> = Arguments extends { retention: Retention }
  ? DistributiveOmit<Arguments, 'retention'>
  : Arguments;
type DistributiveOmit<Type, Key extends PropertyKey> = Type extends unknown ? Omit<Type, Key> : never;

export type RunCommand = (key: string, given: string, body: string) => Promise<string>;

/** ioredis puts scripts beside its own commands, so ours carry a name that none of them has. */
export function commandName(script: string): string {
  return `headstone_${script}`;
}
