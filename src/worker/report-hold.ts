import { type Hold, holdAdvice } from '../shared/contract/holds.ts';
import type { Telemetry } from '../shared/runtime/telemetry.ts';

/** Logs one line when launches begin to be held, and none for the jobs that meet the hold later. */
export function reportHold(
  reply: { held_ms?: number | undefined; held_scope?: string | undefined } | { reply: string },
  { code, kind }: Pick<Hold, 'code' | 'kind'>,
  telemetry: Telemetry,
): void {
  if (!('held_ms' in reply) || reply.held_ms === undefined || reply.held_scope === undefined) return;
  telemetry.emit('launches_held', {
    scope: reply.held_scope,
    code,
    for_ms: reply.held_ms,
    advice: holdAdvice(code, kind),
  });
}
