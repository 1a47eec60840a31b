// A contestant is a worker process that does the same jobs as the others. It is told where the store and the provider are,
// says `ready` when it has loaded, starts at `go`, and says `done` with its processor time when all jobs are done.
export interface Task {
  redisUrl: string;
  /** The base URL of a provider that answers at once. */
  providerUrl: string;
  /** Only pg-boss needs it. */
  postgresUrl?: string;
  /** The prefix of this run's keys. */
  prefix: string;
  jobs: number;
  /** How many launches, and how many polls, may run at once. */
  concurrency: number;
  /** The time from the create to the poll, in milliseconds. */
  pollAfterMs: number;
  /** The longest time between two polls. Default: `pollAfterMs`. */
  pollMaxMs?: number;
  /** Default: as many as there are. */
  pollsPerSecond?: number;
}

export type Report = { said: 'ready' } | { said: 'done'; cpuMs: number; residentMb: number };

/** Runs in the worker process: waits for `go`, starts the work, and reports when it has called `finished` for each job. */
export async function compete(start: (task: Task, finished: () => void) => Promise<void>): Promise<void> {
  const task: Task = JSON.parse(process.argv[2] ?? '');
  const said = (report: Report) => process.send?.(report);
  process.once('message', async () => {
    const before = process.cpuUsage();
    let left = task.jobs;
    await start(task, () => {
      left -= 1;
      if (left > 0) return;
      const { user, system } = process.cpuUsage(before);
      said({ said: 'done', cpuMs: (user + system) / 1000, residentMb: process.memoryUsage.rss() / 1_000_000 });
    });
  });
  said({ said: 'ready' });
}
