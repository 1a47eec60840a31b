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

const POLL_MS = 500;

/** Cancellations of many jobs, which the server carries out. */
export class HttpCancellations implements Pick<Client['cancellations'], keyof Client['cancellations']> {
  private readonly server: ServerConnection;

  constructor(server: ServerConnection) {
    this.server = server;
  }

  async estimate(filter: CancellationFilter): Promise<CancellationEstimate> {
    return await this.server.post('/cancellations', cancellationEstimateSchema, { filter, dry_run: true });
  }

  async begin(filter: CancellationFilter, { reason, actor }: CancellationOptions = {}): Promise<Cancellation> {
    // With a key the call can be sent again if its answer is lost.
    const named = { 'idempotency-key': randomUUID() };
    return await this.server.post('/cancellations', cancellationSchema, { filter, reason, actor }, named);
  }

  /**
   * Resolves when the cancellation has ended. It goes on without this process, so a server that is away is waited for. Throws
   * `not_durable` if it has ended and too few replicas hold it.
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
      await sleep(POLL_MS, undefined, signal ? { signal } : {});
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
