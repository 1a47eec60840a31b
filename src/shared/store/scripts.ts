import type { z } from 'zod';
import { absent } from './lua/absent.ts';
import { accept } from './lua/accept.ts';
import { acknowledge } from './lua/acknowledge.ts';
import { adopt } from './lua/adopt.ts';
import { attend, letGoOn } from './lua/attend.ts';
import { advanceCancellation, beginCancellation, stopCancellation, survey } from './lua/cancellations.ts';
import { charge } from './lua/charge.ts';
import { claim } from './lua/claim.ts';
import { copyHolds } from './lua/copy-holds.ts';
import { countUsage } from './lua/count-usage.ts';
import { decide } from './lua/decide.ts';
import { deleteResult } from './lua/delete-result.ts';
import { forget } from './lua/forget.ts';
import { giveBack } from './lua/give-back.ts';
import { hint } from './lua/hint.ts';
import { identify } from './lua/identify.ts';
import { intend } from './lua/intend.ts';
import { parkEntry } from './lua/park-entry.ts';
import { release } from './lua/release.ts';
import { reportCallback, resendCallback } from './lua/report-callback.ts';
import { rerun } from './lua/rerun.ts';
import { resend } from './lua/resend.ts';
import { resolve } from './lua/resolve.ts';
import type { Script } from './lua/script.ts';
import { share } from './lua/share.ts';
import { appendEvents, attachStream, detachStream } from './lua/streams.ts';
import { takeEntry, takeLaunch } from './lua/take-entry.ts';
import { tryHeld } from './lua/try-held.ts';
import { unattended } from './lua/unattended.ts';
import { widenInclude } from './lua/widen-include.ts';

/** Every transition, by the name that the store calls it by. */
export const scripts = {
  accept,
  adopt,
  identify,
  claim,
  give_back: giveBack,
  intend,
  acknowledge,
  resolve,
  decide,
  rerun,
  charge,
  absent,
  release,
  try_held: tryHeld,
  delete_result: deleteResult,
  forget,
  resend,
  attend,
  let_go_on: letGoOn,
  count_usage: countUsage,
  hint,
  report_callback: reportCallback,
  resend_callback: resendCallback,
  unattended,
  survey,
  begin_cancellation: beginCancellation,
  advance_cancellation: advanceCancellation,
  stop_cancellation: stopCancellation,
  attach_stream: attachStream,
  append_events: appendEvents,
  detach_stream: detachStream,
  widen_include: widenInclude,
  share,
  copy_holds: copyHolds,
  take_entry: takeEntry,
  take_launch: takeLaunch,
  park_entry: parkEntry,
};
export type ScriptName = keyof typeof scripts;
export type ArgumentsOf<Name extends ScriptName> =
  (typeof scripts)[Name] extends Script<infer Arguments, unknown> ? Arguments : never;
/** The transitions of one job. */
export type JobScript = Exclude<
  { [Name in ScriptName]: ArgumentsOf<Name> extends { id: string } ? Name : never }[ScriptName],
  `${string}_cancellation`
>;
export type ReplyOf<Name extends ScriptName> = z.output<(typeof scripts)[Name]['reply']>;

/** JSON; with it may come a text that the script passes on unread. */
export type ScriptAnswer = string | [json: string, text: string | null];
/** Names the two keys of every script, gives it the settings, and then two texts for each call (see `Script`). */
export type RunCommand = (
  prefix: string,
  never: string,
  settings: string,
  ...texts: string[]
) => Promise<(ScriptAnswer | Error)[]>;

/** The two keys that every script names: the lane's prefix, and one that is never written (see `Script`). */
export const NUMBER_OF_KEYS = 2;

/** ioredis defines scripts beside its own commands, so these need names that no command has. */
export function commandName(script: string): string {
  return `headstone_${script}`;
}
