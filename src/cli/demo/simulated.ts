import { loadConfiguration } from '../../shared/runtime/configuration.ts';
import { usd } from '../../shared/runtime/format.ts';
import type { SimulatorLedger } from '../../simulator/ledger.ts';
import type { LogLine } from '../processes/children.ts';
import type { System } from '../processes/system.ts';
import { audit, type Books } from '../reports/audit.ts';
import { exitCodes } from '../terminal/exit-codes.ts';
import { hasScreen, startLiveTable } from '../terminal/live-table.ts';
import { print, printProse } from '../terminal/output.ts';
import { showTheProblem } from './bare.ts';
import type { FrontDoor } from './front-door.ts';
import { jobsTable } from './jobs-table.ts';
import { printReport } from './report.ts';
import { type Cancelled, type Played, play, untilSettled } from './scenario.ts';
import { withSystem } from './with-system.ts';

const WORKERS = 2;

/** Shows the problem and the answer with a simulated provider, whose own ledger is compared with Headstone's. */
export async function demoSimulated(): Promise<void> {
  const { configuration } = loadConfiguration(process.env);
  print('1  Without Headstone: the plain openai client cancels a background response\n');
  const stage = {
    redisUrl: configuration.redisUrl,
    simulate: true,
    workers: 0,
    // On a screen the table shows it.
    onLine: (line: LogLine) => hasScreen() || tell(line),
  };
  await withSystem(stage, async (system, door) => {
    const simulatorUrl = system.simulatorUrl ?? '';
    await showTheProblem(simulatorUrl, configuration.prices);
    const bare = await readLedger(simulatorUrl);
    print();
    printProse(
      `2  With Headstone: the same client with another base URL, the same provider, ${WORKERS} workers, and a user who cancels\n`,
    );
    const played = await playLive(door, system);
    const books = await readBooks(door, played, simulatorUrl, bare);
    const problems = audit(books);
    const [byCause, byModel] = await Promise.all([door.waste('cause'), door.waste('model')]);
    printReport({ played, books, byCause, byModel, problems });
    if (problems.length > 0) process.exitCode = exitCodes.failed;
  });
}

async function playLive(door: FrontDoor, system: System): Promise<Played> {
  const cancelled: Cancelled[] = [];
  const live = startLiveTable(() => jobsTable(door, cancelled));
  try {
    const played = await play(
      door,
      () => system.startWorkers(WORKERS),
      one => cancelled.push(one),
    );
    await untilSettled(door);
    return played;
  } finally {
    await live.stop();
  }
}

/** Reads both ledgers, without the responses of the first part, which Headstone had nothing to do with. */
async function readBooks(
  door: FrontDoor,
  { ids }: Played,
  simulatorUrl: string,
  bare: SimulatorLedger,
): Promise<Books> {
  const before = new Set(bare.responses.map(({ response_id }) => response_id));
  const simulator = await readLedger(simulatorUrl);
  return {
    jobs: await Promise.all(ids.map(id => door.job(id))),
    rows: await door.ledger(),
    simulator: { ...simulator, responses: simulator.responses.filter(({ response_id }) => !before.has(response_id)) },
  };
}

async function readLedger(simulatorUrl: string): Promise<SimulatorLedger> {
  const answer = await fetch(new URL('/sim/ledger', simulatorUrl));
  return (await answer.json()) as SimulatorLedger;
}

/** Prints the lines of the workers' log that the demo is about. */
function tell(line: LogLine): void {
  if (line.event === 'late_result_dropped')
    print(`   late    ${line.job_id}: the provider finished it anyway, and the result was dropped`);
  if (line.event === 'tokens_wasted')
    print(
      `   wasted  ${line.job_id}: ${line.status === 'unknown' ? 'tokens unknown' : `${line.total_tokens} tokens, ${usd(line.cost_usd_micros as number | null)}`}, cancelled by ${line.actor}: ${line.reason}`,
    );
}
