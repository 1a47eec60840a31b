/** A body to send, and what comes back. They were taken from a running server. */
export interface Example {
  query?: string;
  body?: object;
  answer?: object;
}

const tombstone = { cause: 'cancelled', reason: 'wrong prompt', actor: 'alice', key_name: 'ci', at: 1795926774967 };

/** By method and path, as in the OpenAPI document. */
export const examples: Record<string, Example> = {
  'POST /v1/responses': {
    body: {
      model: 'gpt-5.5',
      input: 'Write a report on tides',
      background: true,
      headstone: { tags: ['report'], deadline_ms: 3_600_000 },
    },
    answer: {
      id: 'resp_3e37387f3da543408e42e20d7390a1d3',
      object: 'response',
      status: 'queued',
      background: true,
      model: 'gpt-5.5',
      output: [],
      usage: null,
      headstone: { status: 'queued', upstream_id: null, tombstone: null, waste: [] },
    },
  },
  'GET /v1/responses/{id}': {
    answer: {
      id: 'resp_3e37387f3da543408e42e20d7390a1d3',
      object: 'response',
      status: 'completed',
      output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'The tides …' }] }],
      usage: { input_tokens: 800, output_tokens: 900, total_tokens: 1700 },
      headstone: { status: 'completed', upstream_id: 'resp_44ada947bf41', tombstone: null, waste: [] },
    },
  },
  'POST /v1/responses/{id}/cancel': {
    body: { reason: 'wrong prompt', actor: 'alice' },
    answer: {
      id: 'resp_3e37387f3da543408e42e20d7390a1d3',
      object: 'response',
      status: 'cancelled',
      output: [],
      usage: null,
      headstone: { status: 'cancelled', verdict: 'cancelled', upstream_id: 'resp_44ada947bf41', tombstone, waste: [] },
    },
  },
  'DELETE /v1/responses/{id}': {
    answer: { id: 'resp_3e37387f3da543408e42e20d7390a1d3', object: 'response', deleted: true },
  },
  'GET /v1/jobs': {
    query: 'status=running&tag=report&limit=20',
    answer: {
      object: 'list',
      data: [
        {
          id: 'resp_3e37387f3da543408e42e20d7390a1d3',
          status: 'running',
          model: 'gpt-5.5',
          tenant: 'harbour',
          tags: ['report'],
          preview: 'Write a report on tides',
          created_at: 1795926774800,
          tombstone: null,
        },
      ],
      has_more: false,
    },
  },
  'POST /v1/jobs/{id}/retry': { answer: { id: 'resp_9b1c5a0e7f6d4c3b8a29180716253443', status: 'queued' } },
  'GET /v1/waste': {
    query: 'group_by=reason&since=2026-11-01',
    answer: {
      data: [
        { key: 'wrong prompt', responses: 2, total_tokens: 8880, cost_usd_micros: 190_000, pending: 0, unknown: 0 },
      ],
    },
  },
  'GET /v1/ledger': { query: 'since=2026-11-01&limit=100' },
  'POST /v1/cancellations': {
    body: { filter: { tag: 'nightly', older_than_ms: 7_200_000 }, reason: 'batch withdrawn', dry_run: true },
    answer: {
      object: 'cancellation_estimate',
      dry_run: true,
      jobs: 150,
      by_status: { queued: 120, running: 30 },
      estimate: { tokens: 1_020_000, cost_usd_micros: 18_600_000, spared_tokens: 816_000 },
    },
  },
  'POST /v1/holds/release': { body: { scope: 'account' }, answer: { released: true } },
};
