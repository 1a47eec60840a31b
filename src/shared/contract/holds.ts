const advice: Record<string, string> = {
  no_route: 'The provider cannot be reached: look at OPENAI_BASE_URL and the network.',
  no_such_url: 'The provider knows no such URL: look at OPENAI_BASE_URL, which ends in /v1 with most providers.',
  invalid_api_key: 'The provider refuses the key: look at OPENAI_API_KEY.',
  insufficient_quota: 'The account has no quota left: look at its billing.',
  model_not_found: 'The provider has no such model or deployment for this account.',
  rate_limit_exceeded: 'The provider asks to slow down; launches go on by themselves.',
};

const FALLBACK = 'Launches go on by themselves when one succeeds; one job a minute tries.';

/** What to do about launches that are held back, by the code of the refusal that began it. */
export function holdAdvice(code: string): string {
  return advice[code] ?? FALLBACK;
}

/** Of which launches a hold speaks: `account`, or `model:NAME`. */
export function heldLaunches(scope: string): string {
  return scope === 'account' ? 'all launches' : `launches of ${scope.replace(':', ' ')}`;
}
