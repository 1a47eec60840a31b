const advice: Record<string, string> = {
  no_route: 'The provider cannot be reached: look at OPENAI_BASE_URL and the network.',
  no_such_url: 'The provider knows no such URL: look at OPENAI_BASE_URL, which ends in /v1 with most providers.',
  forbidden: 'The provider refuses access: look at the rights of OPENAI_API_KEY, and at firewalls on the way.',
  invalid_api_key: 'The provider refuses the key: look at OPENAI_API_KEY.',
  insufficient_quota: 'The account has no quota left: look at its billing.',
  model_not_found: 'The provider has no such model or deployment for this account.',
  rate_limit_exceeded: 'The provider asks to slow down; launches go on by themselves.',
};

const FALLBACK = 'Launches go on by themselves when one succeeds; one job a minute tries.';

/** What to do about launches that are held back, by the code of the refusal that began it. */
export function holdAdvice(code: string): string {
  return Object.hasOwn(advice, code) ? (advice[code] ?? FALLBACK) : FALLBACK;
}

/** Which launches a hold keeps back, by its scope: `account`, `model:NAME`, or `tenant:NAME|model:NAME`. */
export function heldLaunches(scope: string): string {
  if (scope === 'account') return 'all launches';
  const [, tenant, model] = /^tenant:([^|]*)\|model:(.*)$/s.exec(scope) ?? [];
  return tenant === undefined
    ? `launches of ${scope.replace(':', ' ')}`
    : `launches of model ${model} for tenant ${tenant}`;
}
