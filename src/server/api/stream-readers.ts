import { HeadstoneError } from '../../shared/contract/errors.ts';

export interface ReaderLimits {
  process: number;
  tenant: number;
}

/** Counts the readers of streams. Each of them takes a connection, so their number is limited, in all and for one tenant. */
export class StreamReaders {
  readonly limits: ReaderLimits;
  private readonly byTenant = new Map<string, number>();
  private total = 0;

  constructor(limits: ReaderLimits) {
    this.limits = limits;
  }

  get count(): number {
    return this.total;
  }

  /** Takes a place. The function that it returns gives the place back. Throws `too_many_streams`. */
  enter(tenant: string): () => void {
    const own = this.byTenant.get(tenant) ?? 0;
    if (own >= this.limits.tenant)
      throw tooMany(`Tenant ${tenant} has ${own} streams and waiting calls, which is the limit for one tenant`);
    if (this.total >= this.limits.process)
      throw tooMany(`There are ${this.total} streams and waiting calls here, which is the limit`);
    this.change(tenant, 1);
    let isGone = false;
    return () => {
      if (!isGone) this.change(tenant, -1);
      isGone = true;
    };
  }

  private change(tenant: string, by: number): void {
    this.total += by;
    const count = (this.byTenant.get(tenant) ?? 0) + by;
    if (count === 0) this.byTenant.delete(tenant);
    else this.byTenant.set(tenant, count);
  }
}

function tooMany(what: string): HeadstoneError {
  return new HeadstoneError(
    'too_many_streams',
    `${what} (HEADSTONE_STREAM_READERS). Close a stream, or use background: true and poll the response. This call enqueued nothing.`,
  );
}
