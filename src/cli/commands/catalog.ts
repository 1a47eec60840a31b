import type { CatalogEntry } from './catalog-entry.ts';

/** Each command, which is loaded only if it is run or asked about, because most of a short command's time is loading. */
export const catalog: CatalogEntry[] = [
  asks('enqueue', 'enqueue a background response and print the id of its job', async () =>
    (await import('./enqueue.ts')).enqueueCommand(),
  ),
  asks('get', 'show a job’s record: its status, what happened, and what it cost', async () =>
    (await import('./get.ts')).getCommand(),
  ),
  asks('wait', 'wait for a job’s outcome and print its text', async () => (await import('./wait.ts')).waitCommand()),
  asks('watch', 'follow a job: print what happens to stderr and its text to stdout', async () =>
    (await import('./watch.ts')).watchCommand(),
  ),
  asks('list', 'list jobs, the newest first', async () => (await import('./list.ts')).listCommand()),
  asks('cancel', 'cancel jobs for good; exit code 0: cancelled now or before, 3: too late', async () =>
    (await import('./cancel.ts')).cancelCommand(),
  ),
  asks('retry', 'run a job’s request again, as a new job; shows what the job cost and asks first', async () =>
    (await import('./retry.ts')).retryCommand(),
  ),
  asks('waste', 'show the tokens that were paid for and wasted, beside those that were used', async () =>
    (await import('./waste.ts')).wasteCommand(),
  ),
  asks('ledger', 'print the ledger: one row for each response, the oldest first', async () =>
    (await import('./ledger.ts')).ledgerCommand(),
  ),
  asks('status', 'show what is waiting, what is held, and whether launching is paused', async () =>
    (await import('./status.ts')).statusCommand(),
  ),
  asks('pause', 'pause launching: no new job is sent; running jobs continue, and cancels still work', async () =>
    (await import('./pause.ts')).pauseCommand(),
  ),
  asks('resume', 'resume launching', async () => (await import('./pause.ts')).resumeCommand()),
  asks('holds', 'show which launches are held back, why, how many jobs wait, and when the next try is', async () =>
    (await import('./holds.ts')).holdsCommand(),
  ),
  asks('release', 'end the wait of a hold and try at once; if the provider refuses again, the hold stays', async () =>
    (await import('./holds.ts')).releaseCommand(),
  ),
  asks(
    'webhook',
    'send the message about a job’s outcome to its callback_url again; show the secret that signs such messages',
    async () => (await import('./webhook.ts')).webhookCommand(),
  ),
  runs('worker', 'run a worker; on SIGTERM it finishes what it is doing and stops', async () =>
    (await import('./worker.ts')).workerCommand(),
  ),
  runs('server', 'run the OpenAI-compatible HTTP server, until SIGTERM', async () =>
    (await import('./server.ts')).serverCommand(),
  ),
  runs('simulator', 'run a simulated provider that completes cancelled responses, until SIGTERM', async () =>
    (await import('./simulator.ts')).simulatorCommand(),
  ),
  runs('store', 'run an in-memory Valkey for this machine only; its data is lost when it stops', async () =>
    (await import('./store.ts')).storeCommand(),
  ),
  runs('lanes', 'show the lanes, or raise their number', async () => (await import('./lanes.ts')).lanesCommand()),
  runs('dev', 'run store, simulator, worker and server together, until Ctrl-C', async () =>
    (await import('./dev.ts')).devCommand(),
  ),
  runs(
    'probe',
    'try on your own account what your provider does with a cancel; it says what this may cost, and asks first',
    async () => (await import('./probe.ts')).probeCommand(),
  ),
  runs('demo', 'show the problem and the answer with a simulated provider, in about 30 seconds', async () =>
    (await import('./demo.ts')).demoCommand(),
  ),
];

/** A command that asks a deployment, over Redis or with `--server` over HTTP. */
function asks(name: string, about: string, load: CatalogEntry['load']): CatalogEntry {
  return { name, about, isClient: true, load };
}

function runs(name: string, about: string, load: CatalogEntry['load']): CatalogEntry {
  return { name, about, isClient: false, load };
}
