import { setTimeout as sleep } from 'node:timers/promises';
import { OpenAI } from 'openai';
import type { Job, JobSummary } from '../../shared/contract/job.ts';
import type { LedgerRow, WasteDimension, WasteReport } from '../../shared/contract/ledger.ts';

/** What the server shows of a job: its record, and what a client reads as its response. */
export interface ShownJob extends Omit<Job, 'response'> {
  /** Null unless a result is shown. */
  response: object | null;
}

export interface Wish {
  model: string;
  input: string;
  max_output_tokens?: number;
  service_tier?: 'default';
  metadata?: Record<string, string>;
  headstone: { tenant: string; tags: string[]; deadline_ms?: number };
}

const POLL_MS = 400;
const PAGE = 500;

/** An app's view of Headstone: the plain openai client with another base URL, and fetch for what OpenAI's API has no words for. */
export class FrontDoor {
  private readonly url: string;
  private readonly client: OpenAI;

  constructor(url: string) {
    this.url = url;
    this.client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'demo', logLevel: 'off' });
  }

  async create(wish: Wish): Promise<string> {
    const response = await this.client.responses.create({ ...wish, background: true });
    return response.id;
  }

  /** True where the cancel won. */
  async cancel(id: string, body: { reason: string; actor: string }): Promise<boolean> {
    const response = await this.client.responses.cancel(id, { body });
    return response.status === 'cancelled';
  }

  /** As every app does it: reads until it has ended. */
  async untilEnded(id: string): Promise<void> {
    for (;;) {
      const { status } = await this.client.responses.retrieve(id);
      if (status !== 'queued' && status !== 'in_progress') return;
      await sleep(POLL_MS);
    }
  }

  async job(id: string): Promise<ShownJob> {
    const record = await this.read<Omit<Job, 'response'>>(`/v1/jobs/${id}`);
    const response = await this.client.responses.retrieve(id);
    return { ...record, response: response.output.length > 0 ? response : null };
  }

  async record(id: string): Promise<Omit<Job, 'response'>> {
    return await this.read(`/v1/jobs/${id}`);
  }

  async jobs(): Promise<JobSummary[]> {
    const { data } = await this.read<{ data: JobSummary[] }>(`/v1/jobs?limit=${PAGE}`);
    return data;
  }

  async ledger(): Promise<LedgerRow[]> {
    const rows: LedgerRow[] = [];
    for (;;) {
      const after = rows.at(-1)?.response_id;
      const path = `/v1/ledger?limit=${PAGE}${after === undefined ? '' : `&after=${encodeURIComponent(after)}`}`;
      const page = await this.read<{ data: LedgerRow[]; has_more: boolean }>(path);
      rows.push(...page.data);
      if (!page.has_more) return rows;
    }
  }

  async waste(groupBy: WasteDimension): Promise<WasteReport> {
    return await this.read(`/v1/waste?group_by=${groupBy}`);
  }

  private async read<Body>(path: string): Promise<Body> {
    const answer = await fetch(`${this.url}${path}`);
    if (!answer.ok) throw new Error(`The server answered ${answer.status} to GET ${path}.`);
    return (await answer.json()) as Body;
  }
}
