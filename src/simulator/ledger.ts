import type { SimulatedResponse, Usage } from './response.ts';

export interface SimulatorLedgerRow {
  response_id: string;
  model: string;
  /** As sent with the create. */
  metadata: Record<string, string>;
  created_at: number;
  status: string;
  cancelled_at: number | null;
  cancels: number;
  reads: number;
  /** What the provider charges; null where nobody can know it. */
  billed: Usage | null;
  /** The last usage that a GET has shown; null where none ever did. */
  shown: Usage | null;
}

/** What was asked of the simulator, and what it would charge: the independent truth. */
export interface SimulatorLedger {
  /** Every POST that came in, the refused ones too. */
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
      status: response.status,
      cancelled_at: response.cancelledAt ?? null,
      cancels: response.cancels,
      reads: response.reads,
      billed: response.usage,
      shown: response.shownUsage,
    })),
  };
}
