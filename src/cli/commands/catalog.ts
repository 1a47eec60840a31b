import type { Command } from 'commander';

/** A command, which is loaded only if it is run or asked about, because most of a short command's time is loading. */
export interface CatalogEntry {
  name: string;
  about: string;
  /** True if it asks a deployment, over Redis or with `--server` over HTTP. */
  isClient?: boolean;
  load(): Promise<Command>;
}

export const catalog: CatalogEntry[] = [
  {
    name: 'enqueue',
    about: 'enqueue a background response and print the id of its job',
    isClient: true,
    load: async () => (await import('./enqueue.ts')).enqueueCommand(),
  },
  {
    name: 'get',
    about: 'show a job’s record: its status, what happened, and what it cost',
    isClient: true,
    load: async () => (await import('./get.ts')).getCommand(),
  },
  {
    name: 'wait',
    about: 'wait for a job’s outcome and print its text',
    isClient: true,
    load: async () => (await import('./wait.ts')).waitCommand(),
  },
  {
    name: 'watch',
    about: 'follow a job: print what happens to stderr and its text to stdout',
    isClient: true,
    load: async () => (await import('./watch.ts')).watchCommand(),
  },
  {
    name: 'list',
    about: 'list jobs, the newest first',
    isClient: true,
    load: async () => (await import('./list.ts')).listCommand(),
  },
  {
    name: 'cancel',
    about: 'cancel jobs for good; exit code 0: cancelled now or before, 3: too late',
    isClient: true,
    load: async () => (await import('./cancel.ts')).cancelCommand(),
  },
  {
    name: 'retry',
    about: 'run a job’s request again, as a new job; it says what the last one cost, and asks first',
    isClient: true,
    load: async () => (await import('./retry.ts')).retryCommand(),
  },
  {
    name: 'waste',
    about: 'show the tokens that were paid for and wasted, beside those that were used',
    isClient: true,
    load: async () => (await import('./waste.ts')).wasteCommand(),
  },
  {
    name: 'ledger',
    about: 'print the ledger: one row for each response, the oldest first',
    isClient: true,
    load: async () => (await import('./ledger.ts')).ledgerCommand(),
  },
  {
    name: 'status',
    about: 'show how much waits where, what is held, and whether launching is paused',
    isClient: true,
    load: async () => (await import('./status.ts')).statusCommand(),
  },
  {
    name: 'pause',
    about: 'pause launching: nothing new is spent; running jobs go on, and cancels work',
    isClient: true,
    load: async () => (await import('./pause.ts')).pauseCommand(),
  },
  {
    name: 'resume',
    about: 'resume launching',
    isClient: true,
    load: async () => (await import('./pause.ts')).resumeCommand(),
  },
  {
    name: 'holds',
    about: 'show which launches are held back, why, how many jobs wait, and when the next try is',
    isClient: true,
    load: async () => (await import('./holds.ts')).holdsCommand(),
  },
  {
    name: 'release',
    about: 'try at once whether a hold is over; if the provider refuses again, it goes on',
    isClient: true,
    load: async () => (await import('./holds.ts')).releaseCommand(),
  },
  {
    name: 'webhook',
    about: 'send the message about a job’s outcome to its callback_url again; show the secret that signs them',
    isClient: true,
    load: async () => (await import('./webhook.ts')).webhookCommand(),
  },
  {
    name: 'worker',
    about: 'run a worker until SIGTERM; then it finishes what it works on and stops',
    load: async () => (await import('./worker.ts')).workerCommand(),
  },
  {
    name: 'server',
    about: 'run the OpenAI-compatible HTTP server, until SIGTERM',
    load: async () => (await import('./server.ts')).serverCommand(),
  },
  {
    name: 'simulator',
    about: 'run a simulated provider that completes cancelled responses, until SIGTERM',
    load: async () => (await import('./simulator.ts')).simulatorCommand(),
  },
  {
    name: 'store',
    about: 'run a Valkey in this process: in memory, for this machine only, gone when it stops',
    load: async () => (await import('./store.ts')).storeCommand(),
  },
  {
    name: 'lanes',
    about: 'show the lanes, or raise their number',
    load: async () => (await import('./lanes.ts')).lanesCommand(),
  },
  {
    name: 'dev',
    about: 'run store, simulator, worker and server together, until Ctrl-C',
    load: async () => (await import('./dev.ts')).devCommand(),
  },
  {
    name: 'probe',
    about: 'try on your own account what your provider does with a cancel; it says what this may cost, and asks first',
    load: async () => (await import('./probe.ts')).probeCommand(),
  },
  {
    name: 'demo',
    about: 'show the problem and the answer with a simulated provider, in about 30 seconds',
    load: async () => (await import('./demo.ts')).demoCommand(),
  },
  {
    name: 'completion',
    about: 'print a script that completes commands and options in bash, zsh or fish',
    load: async () => (await import('./completion.ts')).completionCommand(catalog),
  },
];
