import { Command } from 'commander';
import { loadConfiguration } from '../../shared/runtime/configuration.ts';
import type { LogLine } from '../children.ts';
import { print, withExamples } from '../output.ts';
import { requireKey } from '../require-key.ts';
import { runUntilAskedToStop } from '../session.ts';
import { type System, startSystem } from '../system.ts';

const STORE_PORT = 6379;
const SIMULATOR_PORT = 8090;

export function devCommand(): Command {
  return withExamples(
    new Command('dev')
      .description('store, simulator, worker and server in one process tree, until Ctrl-C')
      .option('--live', 'the real provider instead of the simulator: spends real money')
      .action(async ({ live = false }: { live?: boolean }) => {
        const { configuration, warnings } = loadConfiguration(process.env);
        for (const warning of warnings) process.stderr.write(`${warning}\n`);
        const real = live || configuration.live;
        if (real) {
          requireKey(configuration, 'leave out --live and HEADSTONE_LIVE');
          print('LIVE: every job that you enqueue runs at the real provider and is billed to your key.');
        }
        await runUntilAskedToStop(async asked => {
          const system = await startSystem({
            redisUrl: configuration.redisUrl,
            storePort: STORE_PORT,
            simulatorPort: SIMULATOR_PORT,
            simulate: !real,
            workers: 1,
            revive: true,
            serverPort: configuration.port,
            env: {},
            onLine: (process, line) => print(readable(process, line)),
          });
          printAddresses(system, configuration.redisUrl === undefined);
          const ended = await Promise.race([asked, system.firstEnded]);
          if (ended !== undefined) {
            await system.stop();
            throw new Error(`The ${ended} ended by itself; its last lines are above. The others were stopped.`);
          }
          return system.stop;
        });
      }),
    'headstone dev',
    'OPENAI_API_KEY=sk-… headstone dev --live',
  );
}

function printAddresses({ serverUrl, simulatorUrl, redisUrl }: System, inMemory: boolean): void {
  print('\nHeadstone is up. Ctrl-C stops everything.');
  print(`  Jobs       ${serverUrl}/jobs  (look, and cancel)`);
  print(`  Waste      ${serverUrl}/waste`);
  print(`  Board      ${serverUrl}/board`);
  print(`  API        ${serverUrl}/v1  (the base URL for any openai client, with any key; described at /docs)`);
  if (simulatorUrl) print(`  Simulator  ${simulatorUrl}  (cancelled responses flip to completed)`);
  print(`  Store      ${redisUrl}${inMemory ? '  (in memory)' : ''}`);
  print('\nTry, in another terminal:');
  const elsewhere = redisUrl.endsWith(`:${STORE_PORT}`) ? '' : `REDIS_URL=${redisUrl} `;
  print(`  ${elsewhere}npm run --silent headstone -- enqueue "Write a report on tides" --wait\n`);
}

/** A log line for eyes: who, what, and the facts. */
function readable(process: string, { level, event, time, pid, ...fields }: LogLine): string {
  const facts = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`);
  return `${process.padEnd(9)}  ${String(level).padEnd(5)}  ${event}  ${facts.join(' ')}`.trimEnd();
}
