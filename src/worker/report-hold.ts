import type { Telemetry } from '../shared/runtime/telemetry.ts';

const advice: Record<string, string> = {
  no_route: 'The provider cannot be reached: look at OPENAI_BASE_URL and the network.',
  no_such_url: 'The provider knows no such URL: look at OPENAI_BASE_URL, which ends in /v1 with most providers.',
  invalid_api_key: 'The provider refuses the key: look at OPENAI_API_KEY.',
  insufficient_quota: 'The account has no quota left: look at its billing.',
  model_not_found: 'The provider has no such model or deployment for this account.',
  rate_limit_exceeded: 'The provider asks to slow down; launches go on by themselves.',
};

const FALLBACK = 'Launches go on by themselves when one succeeds; one job a minute tries.';

/** One line when launches begin to be held, and none for each job that the hold meets. */
export function reportHold(
  reply: { held_ms?: number | undefined; held_scope?: string | undefined } | { reply: string },
  code: string,
  telemetry: Telemetry,
): void {
  if (!('held_ms' in reply) || reply.held_ms === undefined || reply.held_scope === undefined) return;
  telemetry.emit('launches_held', {
    scope: reply.held_scope,
    code,
    for_ms: reply.held_ms,
    advice: advice[code] ?? FALLBACK,
  });
}
