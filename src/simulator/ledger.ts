import type { SimulatedResponse, Usage } from './response.ts';

export interface SimulatorLedgerRow {
  response_id: string;
  model: string;
  /** The metadata that the create sent. */
  metadata: Record<string, string>;
  created_at: number;
  status: string;
  cancelled_at: number | null;
  cancels: number;
  reads: number;
  /** The usage that the provider charges. Null if it cannot be known. */
  billed: Usage | null;
  /** The last usage that a body has shown. Null if none has. */
  shown: Usage | null;
}

/** What the simulator was asked for and what it would charge. Tests compare Headstone's ledger with it. */
export interface SimulatorLedger {
  /** The number of create requests, refused ones included. */
  creates: number;
  responses: SimulatorLedgerRow[];
}

export function ledgerBody(creates: number, responses: Iterable<SimulatedResponse>): SimulatorLedger {
  return {
    creates,
    responses: [...responses].map(response => ({
      response_id: response.id,
      model: response.request.model,
      metadata: response.request.metadata,
      created_at: response.createdAt,
      ...statusAndBill(response),
      cancelled_at: response.cancelledAt ?? null,
      cancels: response.cancels,
      reads: response.reads,
      shown: response.shownUsage,
    })),
  };
}

function statusAndBill({ seen }: SimulatedResponse): Pick<SimulatorLedgerRow, 'status' | 'billed'> {
  return { status: seen.status, billed: seen.usage };
}
