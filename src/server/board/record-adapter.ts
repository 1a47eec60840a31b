import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { Job } from '../../shared/contract/job.ts';
import { idOfEntry, isOurEntry } from '../../shared/store/queues.ts';
import type { Store } from '../../shared/store/store.ts';

type Entry = Awaited<ReturnType<BullMQAdapter['getJobs']>>[number];
type Queue = ConstructorParameters<typeof BullMQAdapter>[0];

const about = {
  launch: {
    displayName: '1 Launch',
    description: 'These jobs wait for their launch. Pausing this queue stops new spending and nothing else.',
  },
  poll: {
    displayName: '2 Poll',
    description:
      'Polls of running responses, parked until they are due. It keeps the deadlines too, so do not pause it.',
  },
  settle: {
    displayName: '3 Settle',
    description: 'Workers follow these responses, which nobody wants any more, until their tokens are known.',
  },
};

/** A queue for Bull Board. Its entries hold only ids, so each is shown with what the record says now. */
export class RecordAdapter extends BullMQAdapter {
  private readonly store: Store;

  constructor(queue: Queue, store: Store) {
    super(queue, {
      ...about[queue.name as keyof typeof about],
      externalJobUrl: ({ data }) => ({ displayText: 'Job page', href: `../jobs/${data?.job_id ?? ''}` }),
    });
    this.store = store;
    // Only these fields are shown, because an entry that something else wrote could hold a prompt (I13).
    this.setFormatter('data', ({ job_id, model, tenant, status, tombstone, wasted_tokens, response_id }) => ({
      job_id,
      model,
      tenant,
      status,
      tombstone,
      wasted_tokens,
      response_id,
    }));
    this.setFormatter('name', ({ name, data }) => [data?.model ?? name, data?.status].filter(Boolean).join(' · '));
    this.setFormatter('returnValue', value => (typeof value === 'string' ? value : null));
  }

  override async getJobs(...args: Parameters<BullMQAdapter['getJobs']>): Promise<Entry[]> {
    const entries = await super.getJobs(...args);
    await Promise.all(entries.map(entry => this.describe(entry)));
    return entries;
  }

  override async getJob(id: string): Promise<Entry | undefined> {
    const entry = await super.getJob(id);
    if (entry) await this.describe(entry);
    return entry;
  }

  /** An entry without a record launches nothing, so the board adds none. */
  override async addJob(): Promise<never> {
    throw new HeadstoneError('invalid_request', 'Headstone adds the entries itself. Enqueue a job instead.');
  }

  /** Replaces the data that is shown. What is stored stays. */
  private async describe(entry: Entry): Promise<void> {
    const id = isOurEntry(entry.id) ? idOfEntry(entry.id) : '';
    const isResponse = this.getName() === 'settle';
    const jobId = isResponse ? (await this.store.row(id))?.job_id : id;
    const job = jobId === undefined ? null : await this.store.job(jobId);
    entry.data = job ? description(job, isResponse ? id : job.response_id) : {};
  }
}

function description(job: Job, responseId: string | null) {
  const wasted = job.ledger.filter(row => row.kind === 'wasted');
  return {
    job_id: job.id,
    model: job.model,
    tenant: job.tenant,
    status: job.status,
    tombstone: job.tombstone,
    wasted_tokens: wasted.reduce((sum, row) => sum + (row.usage?.total_tokens ?? 0), 0),
    response_id: responseId,
  };
}
