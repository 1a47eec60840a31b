import { InvalidArgumentError } from 'commander';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import { mostOf } from '../../shared/runtime/most.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';
import { confirm } from '../confirm.ts';

/** Small, and long enough to be cancelled in the middle. */
export const MOST_OUTPUT_TOKENS = 600;
const PROMPT = 'Write the numbers from one to one hundred in words, one a line.';

export interface SmallRequest {
  model: string;
  input: string;
  max_output_tokens: number;
  service_tier?: 'default';
}

/** At the standard tier, whatever the account's own is: a dearer one would pass the limit. Azure's deployments have theirs. */
export function smallRequest(model: string, { openaiBaseUrl = '' }: Configuration): SmallRequest {
  const isAzure = openaiBaseUrl.includes('.azure.');
  return {
    model,
    input: PROMPT,
    max_output_tokens: MOST_OUTPUT_TOKENS,
    ...(isAzure ? {} : { service_tier: 'default' }),
  };
}

export function parseUsd(text: string): number {
  const dollars = Number(text);
  if (!(dollars > 0)) throw new InvalidArgumentError('It must be an amount in dollars, like 0.10.');
  return dollars;
}

/** What so many small responses can cost at the most. Throws where that passes the limit, or where nobody knows the price. */
export function worstCaseUsd(model: string, count: number, maxUsd: number, configuration: Configuration): number {
  const most = mostOf(JSON.stringify(smallRequest(model, configuration)), configuration.prices);
  if (most?.cost_usd_micros === undefined)
    throw new HeadstoneError(
      'invalid_request',
      `The price of ${model} is not known, so nobody can say what this costs: set it in HEADSTONE_PRICES (models, or deployments).`,
    );
  const mostUsd = (count * most.cost_usd_micros) / 1_000_000;
  if (mostUsd > maxUsd)
    throw new HeadstoneError(
      'invalid_request',
      `This could cost up to $${mostUsd.toFixed(4)}, more than --max-usd ${maxUsd}: take a smaller --n, a cheaper --model, or raise it.`,
    );
  return mostUsd;
}

/** True where a person agrees to spend it, now or by --yes. */
export async function agreesToSpend({ yes = false }: { yes?: boolean }): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) throw new HeadstoneError('invalid_request', 'Nobody is here to agree to that: add --yes.');
  return await confirm('Go on?');
}
