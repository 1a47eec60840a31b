import { HeadstoneError } from '../../shared/contract/errors.ts';
import { costBoundOf } from '../../shared/runtime/cost-bound.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';
import { confirm } from '../terminal/confirm.ts';

/** Small, but long enough to be cancelled in the middle. */
export const MOST_OUTPUT_TOKENS = 600;
const PROMPT = 'Write the numbers from one to one hundred in words, one per line.';

export interface SmallRequest {
  model: string;
  input: string;
  max_output_tokens: number;
  service_tier?: 'default';
}

/** A small request at the standard tier, because the account's default may cost more than the limit. Azure's deployments fix the tier. */
export function smallRequest(model: string, { openaiBaseUrl = '' }: Configuration): SmallRequest {
  const isAzure = openaiBaseUrl.includes('.azure.');
  return {
    model,
    input: PROMPT,
    max_output_tokens: MOST_OUTPUT_TOKENS,
    ...(isAzure ? {} : { service_tier: 'default' }),
  };
}

/** The most that this many small responses can cost. Throws `invalid_request` if that exceeds the limit, or the price is unknown. */
export function worstCaseUsd(model: string, count: number, maxUsd: number, configuration: Configuration): number {
  const bound = costBoundOf(JSON.stringify(smallRequest(model, configuration)), configuration.prices);
  if (bound?.cost_usd_micros === undefined)
    throw new HeadstoneError(
      'invalid_request',
      `The price of ${model} is not known, so the cost cannot be bounded. Set the price in HEADSTONE_PRICES (models, or deployments).`,
    );
  const mostUsd = (count * bound.cost_usd_micros) / 1_000_000;
  if (mostUsd > maxUsd)
    throw new HeadstoneError(
      'invalid_request',
      `This could cost up to $${mostUsd.toFixed(4)}, which is more than --max-usd ${maxUsd}. Use a smaller --n or a cheaper --model, or raise the limit.`,
    );
  return mostUsd;
}

/** True if a person agrees to spend the money, now or by --yes. */
export async function agreesToSpend({ yes = false }: { yes?: boolean }): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY)
    throw new HeadstoneError(
      'invalid_request',
      'This needs confirmation, but standard input is not a terminal. Add --yes.',
    );
  return await confirm('Continue?');
}
