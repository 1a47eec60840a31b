import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Job, JobSummary } from '../../shared/contract/job.ts';
import type { LedgerRow, WasteDimension, WasteReport } from '../../shared/contract/ledger.ts';
import { loadConfiguration } from '../../shared/runtime/configuration.ts';
import { HttpClient } from '../client/http-client.ts';
import { ServerConnection } from '../client/server-connection.ts';

/** A job as the server shows it: its record, and the response that a client reads. */
export interface ShownJob extends Omit<Job, 'response'> {
  /** Null unless the response shows a result. */
  response: object | null;
}

export interface DemoRequest {
  model: string;
  input: string;
  max_output_tokens?: number;
  service_tier?: 'default';
  metadata?: Record<string, string>;
  headstone: { tenant: string; tags: string[]; deadline_ms?: number };
}

const POLL_MS = 400;
const PAGE = 500;

const responseSchema = z.looseObject({ id: z.string(), status: z.string(), output: z.array(z.unknown()).default([]) });

/** What an app does with Headstone's server: it creates, cancels and reads responses as with OpenAI, and reads the records. */
export class FrontDoor {
  private readonly server: ServerConnection;
  private readonly client: HttpClient;

  constructor(url: string) {
    this.server = new ServerConnection(url, 'demo');
    this.client = new HttpClient(url, { ...loadConfiguration(process.env).configuration, cliApiKey: 'demo' });
  }

  async create(request: DemoRequest): Promise<string> {
    const { id } = await this.server.post('/responses', responseSchema, { ...request, background: true });
    return id;
  }

  /** True if the cancel won. */
  async cancel(id: string, body: { reason: string; actor: string }): Promise<boolean> {
    return (await this.client.cancel(id, body)).verdict === 'cancelled';
  }

  /** Reads the response until it has ended, as every app does. */
  async untilEnded(id: string): Promise<void> {
    for (;;) {
      const { status } = await this.response(id);
      if (status !== 'queued' && status !== 'in_progress') return;
      await sleep(POLL_MS);
    }
  }

  async job(id: string): Promise<ShownJob> {
    const record = await this.record(id);
    const response = await this.response(id);
    return { ...record, response: response.output.length > 0 ? response : null };
  }

  async record(id: string): Promise<Omit<Job, 'response'>> {
    const record = await this.client.record(id);
    if (!record) throw new Error(`The server has no job ${id}.`);
    return record;
  }

  async jobs(): Promise<JobSummary[]> {
    return await this.client.list({ limit: PAGE });
  }

  async ledger(): Promise<LedgerRow[]> {
    const rows: LedgerRow[] = [];
    for (;;) {
      const page = await this.client.ledger({ limit: PAGE, after: rows.at(-1)?.response_id });
      rows.push(...page);
      if (page.length < PAGE) return rows;
    }
  }

  async waste(groupBy: WasteDimension): Promise<WasteReport> {
    return await this.client.waste({ groupBy });
  }

  private async response(id: string) {
    return await this.server.get(`/responses/${id}`, responseSchema);
  }
}
