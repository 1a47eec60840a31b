import type { LedgerRow } from '../../src/shared/contract/ledger.ts';
import type { SimulatorLedger } from '../../src/simulator/ledger.ts';

/**
 * Charges that a watcher did not see because it stopped looking too soon (I3, I8). What no read has shown may be booked as
 * unknown, so `audit` says nothing of these; a test whose settle window is longer than every flip asks for them.
 */
export function unseen(rows: LedgerRow[], { responses }: SimulatorLedger): string[] {
  const byId = new Map(rows.map(row => [row.response_id, row]));
  return responses.flatMap(({ response_id, billed }) => {
    const row = byId.get(response_id);
    return row?.status === 'unknown' && billed !== null
      ? [`I3: ${response_id} is booked as unknown, and ${billed.total_tokens} tokens were charged`]
      : [];
  });
}
