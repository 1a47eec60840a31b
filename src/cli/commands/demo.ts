import { Command } from 'commander';
import { loadConfiguration } from '../../shared/runtime/configuration.ts';
import { usd } from '../../shared/runtime/format.ts';
import type { SimulatorLedger } from '../../simulator/ledger.ts';
import type { LogLine } from '../children.ts';
import { audit } from '../demo/audit.ts';
import { showTheProblem } from '../demo/bare.ts';
import { FrontDoor } from '../demo/front-door.ts';
import { printReport } from '../demo/report.ts';
import { play, untilSettled } from '../demo/scenario.ts';
import { print, withExamples } from '../output.ts';
import { startSystem } from '../system.ts';

const WORKERS = 2;

/** The product's own behaviour on a short clock: an hour's watch would make a long demo. */
const quick = {
  HEADSTONE_POLL_MIN_MS: '300',
  HEADSTONE_POLL_MAX_MS: '1000',
  HEADSTONE_SETTLE_FIRST_MS: '1000',
  HEADSTONE_SETTLE_WINDOW_MS: '6000',
  HEADSTONE_MAX_IN_FLIGHT: '16',
};

export function demoCommand(): Command {
  return withExamples(
    new Command('demo')
      .description('shows the problem and the answer, against a simulated provider; ends by itself')
      .action(run),
    'headstone demo',
  );
}

async function run(): Promise<void> {
  const env = { ...quick, HEADSTONE_PREFIX: `{headstone-demo-${process.pid}}` };
  const { configuration } = loadConfiguration({ ...process.env, ...env });
  print('1  Without Headstone: the plain openai client cancels a background response\n');
  const system = await startSystem({
    redisUrl: configuration.redisUrl,
    storePort: 0,
    simulatorPort: 0,
    simulate: true,
    workers: 0,
    serverPort: 0,
    env,
    onLine: tell,
  });
  const door = new FrontDoor(system.serverUrl ?? '');
  // Ctrl-C ends the demo early and still leaves no process behind.
  const interrupted = () => void system.stop().finally(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const simulatorUrl = system.simulatorUrl ?? '';
    const bareResponses = await showAndCount(simulatorUrl, configuration.prices);
    print(
      `\n2  With Headstone: the same client with another base URL, the same provider, ${WORKERS} workers, and a user who changes their mind\n`,
    );
    const played = await play(door, () => system.startWorkers(WORKERS));
    await untilSettled(door);
    const simulator = await readLedger(simulatorUrl);
    const books = {
      jobs: await Promise.all(played.ids.map(id => door.job(id))),
      rows: await door.ledger(),
      simulator: {
        ...simulator,
        responses: simulator.responses.filter(({ response_id }) => !bareResponses.has(response_id)),
      },
    };
    const problems = audit(books);
    const [byCause, byModel] = await Promise.all([door.waste('cause'), door.waste('model')]);
    printReport({ played, books, byCause, byModel, problems });
    if (problems.length > 0) process.exitCode = 1;
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await system.stop();
  }
}

/** The responses of the first act, which Headstone had no part in. */
async function showAndCount(simulatorUrl: string, prices: Parameters<typeof showTheProblem>[1]): Promise<Set<string>> {
  await showTheProblem(simulatorUrl, prices);
  const { responses } = await readLedger(simulatorUrl);
  return new Set(responses.map(response => response.response_id));
}

async function readLedger(simulatorUrl: string): Promise<SimulatorLedger> {
  const answer = await fetch(new URL('/sim/ledger', simulatorUrl));
  return (await answer.json()) as SimulatorLedger;
}

/** Of the workers' log, the lines that the demo is about. */
function tell(_process: string, line: LogLine): void {
  if (line.event === 'late_result_dropped')
    print(`   late    ${line.job_id}: the provider finished it after all; the result is dropped`);
  if (line.event === 'tokens_wasted')
    print(
      `   wasted  ${line.job_id}: ${line.status === 'unknown' ? 'tokens unknown' : `${line.total_tokens} tokens, ${usd(line.cost_usd_micros as number | null)}`}, cancelled by ${line.actor}: ${line.reason}`,
    );
}
