import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Cancellation,
  type CancellationEstimate,
  type CancellationFilter,
  type CancellationOptions,
  cancellationEstimateSchema,
  cancellationSchema,
} from '../../shared/contract/cancellation.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { Client } from './client.ts';
import type { ServerConnection } from './server-connection.ts';
import { mayPass } from './server-errors.ts';

const LOOK_MS = 500;

/** Many jobs under one cancel, which the server works through. */
export class HttpCancellations implements Pick<Client['cancellations'], keyof Client['cancellations']> {
  private readonly server: ServerConnection;

  constructor(server: ServerConnection) {
    this.server = server;
  }

  async estimate(filter: CancellationFilter): Promise<CancellationEstimate> {
    return await this.server.post('/cancellations', cancellationEstimateSchema, { filter, dry_run: true });
  }

  async begin(filter: CancellationFilter, { reason, actor }: CancellationOptions = {}): Promise<Cancellation> {
    // A key of its own, so that one whose answer is lost can be sent again.
    const named = { 'idempotency-key': randomUUID() };
    return await this.server.post('/cancellations', cancellationSchema, { filter, reason, actor }, named);
  }

  /**
   * Resolves when it has been worked through. That goes on without us, so a server that is away is waited for. Throws
   * `not_durable` where it has, and too few replicas hold it.
   */
  async run(id: string, signal?: AbortSignal): Promise<void> {
    for (;;) {
      const status = await this.get(id).then(
        cancellation => cancellation.status,
        (error: unknown) => {
          if (!mayPass(error) || isNotDurable(error)) throw error;
          return 'running';
        },
      );
      if (status !== 'running') return;
      await sleep(LOOK_MS, undefined, signal ? { signal } : {});
    }
  }

  async stop(id: string): Promise<Cancellation> {
    return await this.server.delete(path(id), cancellationSchema);
  }

  async get(id: string): Promise<Cancellation> {
    return await this.server.get(path(id), cancellationSchema);
  }
}

function isNotDurable(error: unknown): boolean {
  return error instanceof HeadstoneError && error.code === 'not_durable';
}

function path(id: string): string {
  return `/cancellations/${encodeURIComponent(id)}`;
}
