import { isOutcome, type OutcomeStatus } from '../contract/words.ts';

export interface DecidedMessage {
  id: string;
  status: OutcomeStatus;
  response_id?: string | undefined;
}

/** Parses an outcome that `decide` has published. Every worker hears every outcome, so this has to be quick. */
export function parseDecided(text: string): DecidedMessage | undefined {
  try {
    const { id, status, response_id } = JSON.parse(text) as Record<string, unknown>;
    if (typeof id !== 'string' || typeof status !== 'string' || !isOutcome(status)) return undefined;
    return { id, status, response_id: typeof response_id === 'string' ? response_id : undefined };
  } catch {
    return undefined;
  }
}
