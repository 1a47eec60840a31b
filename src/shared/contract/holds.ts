import { z } from 'zod';

/** A hold on launches, as people see it. Times are milliseconds since 1970. */
export const heldLaunchesSchema = z.object({
  /** `account`, `model:NAME` or `tenant:NAME|model:NAME`. */
  scope: z.string(),
  /** `alarm`: one job tries when its time is over, and a success ends it. `rate`: it ends by its time. */
  kind: z.enum(['alarm', 'rate']),
  /** The code of the refusal that began it. */
  code: z.string(),
  since: z.number().int(),
  next_try_at: z.number().int(),
  /** Jobs that wait for its end. */
  waiting: z.number().int(),
});
export type HeldLaunches = z.infer<typeof heldLaunchesSchema>;

/** A wish to keep launches back after a refusal. */
export interface Hold {
  /** `access`: the key or the content was refused, and the store has to find out whom that affects. */
  of: 'account' | 'model' | 'access';
  /** `alarm`: at its end one job tries. `rate`: at its end all go on. */
  kind: 'alarm' | 'rate';
  /** Whether the key was refused, perhaps only what this job asked, or a model that does not exist. */
  why?: 'key' | 'content' | 'model';
  /** What ends an alarm: any answer, an answer from behind the sign-in, or only a success. */
  lifted_by?: 'answer' | 'entry' | 'success';
  code: string;
  http_status?: number | undefined;
  /** Without it a hold lasts 5 s, and twice as long each time. */
  for_ms?: number;
  /** True if the refusal says that it will pass: then it never ends a job. */
  will_pass?: boolean;
}

const advice: Record<string, string> = {
  no_route: 'The provider cannot be reached. Check OPENAI_BASE_URL and the network.',
  no_such_url: 'The provider does not know this URL. Check OPENAI_BASE_URL: with most providers it ends in /v1.',
  forbidden: 'The provider refuses access. Check the permissions of OPENAI_API_KEY and any firewall on the way.',
  invalid_api_key: 'The provider refuses the key. Check OPENAI_API_KEY.',
  insufficient_quota: 'The account has no quota left. Check its billing.',
  launches_unknown:
    'Several creates got no usable answer, and may have run and been billed. Check the provider’s status and the network.',
  model_not_found:
    'The provider has no model or deployment of this name for this account. Create it, or cancel the jobs that ask for it.',
};

/** The codes that providers and gateways give for the same, each beside the one that has the advice. */
const sameAs: [RegExp, string][] = [
  [/^(http_)?401$/, 'invalid_api_key'],
  [/^(http_)?403$/, 'forbidden'],
  [
    /^(http_)?402$|^credit_balance_exhausted$|^organization_usage_limit_exceeded$|_spend_limit_exceeded$/,
    'insufficient_quota',
  ],
  [/^DeploymentNotFound$/, 'model_not_found'],
];

/** Where only the code is known, it says whether a hold is of this kind. */
const ofRates = /^(rate_limit_exceeded|server_is_overloaded|too_many_requests|requests|tokens|(http_)?429)$/i;

const TRIALS = 'One job is tried each minute. Launching resumes by itself as soon as one succeeds.';
const SLOWER = 'The provider is limiting requests. Launching resumes by itself.';

/** What to do about a hold, by the code of the refusal that began it, and by its kind where that is known. */
export function holdAdvice(code: string, kind?: Hold['kind']): string {
  if (kind === 'rate' || (kind === undefined && ofRates.test(code))) return SLOWER;
  const known = sameAs.find(([codes]) => codes.test(code))?.[1] ?? code;
  return Object.hasOwn(advice, known) ? `${advice[known]} ${TRIALS}` : TRIALS;
}

/** Says in words which launches a hold keeps back. */
export function heldLaunches(scope: string): string {
  const { tenant, model } = reachOf(scope);
  if (model === undefined) return 'all launches';
  return `launches of model ${model}${tenant === undefined ? '' : ` for tenant ${tenant}`}`;
}

/** Whom a hold keeps back. A scope is `account`, `model:NAME` or `tenant:NAME|model:NAME`. */
export function reachOf(scope: string): { tenant?: string; model?: string } {
  return { .../^(?:tenant:(?<tenant>[^|]*)\|)?model:(?<model>.*)$/s.exec(scope)?.groups };
}
