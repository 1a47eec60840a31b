import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import { heldLaunches } from '../../shared/contract/holds.ts';
import type { Job } from '../../shared/contract/job.ts';
import type { Lane } from '../../shared/store/lane.ts';
import type { QueueName } from '../../shared/store/lua/work.ts';
import { idOfEntry, isOurEntry } from '../../shared/store/queues.ts';
import type { Store } from '../../shared/store/store.ts';

type Entry = Awaited<ReturnType<BullMQAdapter['getJobs']>>[number];
type Counts = Awaited<ReturnType<BullMQAdapter['getJobCounts']>>;
type State = keyof Counts;
type Queue = Lane['queues'][QueueName];

const about = {
  launch: {
    displayName: '1 Launch',
    description: 'These jobs wait for their launch. Pausing this queue stops new spending and nothing else.',
  },
  poll: {
    displayName: '2 Poll',
    description:
      'Polls of running responses, parked until due. Deadlines depend on this queue too, so do not pause it.',
  },
  settle: {
    displayName: '3 Settle',
    description: 'Workers follow these responses, which nobody wants any more, until their tokens are known.',
  },
  callback: {
    displayName: '4 Callback',
    description: 'Messages about outcomes and waste, for the URLs that jobs were enqueued with.',
  },
};

/**
 * A queue of all lanes for Bull Board. Its entries hold only ids, so each is shown with what the record says now. What the board
 * reads of a queue itself, like its limits, is read of the first lane's.
 */
export class RecordAdapter extends BullMQAdapter {
  private readonly store: Store;
  private readonly name: QueueName;

  constructor(name: QueueName, store: Store) {
    super(store.home.queues[name], {
      ...about[name],
      externalJobUrl: ({ data }) => ({ displayText: 'Job page', href: `../jobs/${data?.job_id ?? ''}` }),
    });
    this.store = store;
    this.name = name;
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

  override async getJobs(states: Parameters<BullMQAdapter['getJobs']>[0], start = 0, end = -1): Promise<Entry[]> {
    const page =
      (await this.store.allLanes()).length === 1
        ? await super.getJobs(states, start, end)
        : await this.ofAllLanes(states, start, end);
    await Promise.all(page.map(entry => this.describe(entry)));
    return page;
  }

  override async getJob(id: string): Promise<Entry | undefined> {
    const found = await this.ofEachLane(queue => queue.getJob(id));
    const entry = (found as (Entry | undefined)[]).find(one => one !== undefined);
    if (entry) await this.describe(entry);
    return entry;
  }

  override async getJobCounts(): ReturnType<BullMQAdapter['getJobCounts']> {
    const lanes = await this.ofEachLane(queue => new BullMQAdapter(queue).getJobCounts());
    const [first, ...others] = lanes as [Counts, ...Counts[]];
    const sum = (state: State) => others.reduce((all, counts) => all + (counts[state] ?? 0), first[state] ?? 0);
    return Object.fromEntries((Object.keys(first) as State[]).map(state => [state, sum(state)])) as typeof first;
  }

  override async isPaused(): Promise<boolean> {
    return (await this.ofEachLane(queue => queue.isPaused())).some(isPaused => isPaused);
  }

  override async pause(): Promise<void> {
    await this.ofEachLane(queue => queue.pause());
  }

  override async resume(): Promise<void> {
    await this.ofEachLane(queue => queue.resume());
  }

  override async promoteAll(): Promise<void> {
    await this.ofEachLane(queue => new BullMQAdapter(queue).promoteAll());
  }

  override async clean(...given: Parameters<BullMQAdapter['clean']>): Promise<void> {
    await this.ofEachLane(queue => new BullMQAdapter(queue).clean(...given));
  }

  override async empty(): Promise<void> {
    await this.ofEachLane(queue => queue.drain());
  }

  override async obliterate(...given: Parameters<BullMQAdapter['obliterate']>): Promise<void> {
    await this.ofEachLane(queue => new BullMQAdapter(queue).obliterate(...given));
  }

  /** BullMQ counts connections that each serve one queue. Headstone's serve all of them, and the overview counts its workers. */
  override async getWorkers(): Promise<null> {
    return null;
  }

  /** A page of the entries of all lanes, the newest first. As in BullMQ, each state has a page of its own. */
  private async ofAllLanes(
    states: Parameters<BullMQAdapter['getJobs']>[0],
    start: number,
    end: number,
  ): Promise<Entry[]> {
    const pages = states.map(async state => {
      const lanes = await this.ofEachLane(queue => new BullMQAdapter(queue).getJobs([state], 0, end));
      return lanes
        .flat()
        .sort(newestFirst)
        .slice(start, end < 0 ? undefined : end + 1);
    });
    return (await Promise.all(pages)).flat();
  }

  private async ofEachLane<Answer>(ask: (queue: Queue) => Promise<Answer>): Promise<Answer[]> {
    const lanes = await this.store.allLanes();
    return await Promise.all(lanes.map(lane => ask(lane.queues[this.name])));
  }

  /** An entry without a record launches nothing, so the board adds none. */
  override async addJob(): Promise<never> {
    throw new HeadstoneError('invalid_request', 'Headstone adds the entries itself. Enqueue a job instead.');
  }

  /** Replaces what is shown of an entry by what the record and the queue say. What is stored stays. */
  private async describe(entry: Entry): Promise<void> {
    const id = isOurEntry(entry.id) ? idOfEntry(entry.id) : '';
    const lanes = await this.store.allLanes();
    const times = await Promise.all(lanes.map(lane => lane.queues.dueAt(this.name, entry.id ?? '')));
    const dueAt = times.find(time => time !== null);
    entry.delay = dueAt === undefined || dueAt === null ? 0 : dueAt - entry.timestamp;
    // If the two differ, the board says that the time is not known.
    entry.opts = { ...entry.opts, delay: entry.delay };
    // In the callback queue an entry says what it is about: a job's outcome, or the waste of a response.
    const [, about, subject = id] = (this.name === 'callback' && /^(outcome|waste):([\s\S]*)$/.exec(id)) || [];
    const isResponse = this.name === 'settle' || about === 'waste';
    const jobId = isResponse ? (await this.store.row(subject))?.job_id : subject;
    const job = jobId === undefined ? null : await this.store.job(jobId);
    entry.data = job ? description(job, isResponse ? subject : job.response_id) : {};
  }
}

function newestFirst(left: Entry, right: Entry): number {
  return Number(right.timestamp ?? 0) - Number(left.timestamp ?? 0);
}

function description(job: Job, responseId: string | null) {
  const wasted = job.ledger.filter(row => row.kind === 'wasted');
  return {
    job_id: job.id,
    model: job.model,
    tenant: job.tenant,
    status: job.held_by === null ? job.status : `held (${heldLaunches(job.held_by)})`,
    tombstone: job.tombstone,
    wasted_tokens: wasted.reduce((sum, row) => sum + (row.usage?.total_tokens ?? 0), 0),
    response_id: responseId,
  };
}
