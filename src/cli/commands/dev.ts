import { Command } from 'commander';
import { loadConfiguration } from '../../shared/runtime/configuration.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';
import type { LogLine } from '../children.ts';
import { print, withExamples } from '../output.ts';
import { requireKey } from '../require-key.ts';
import { runUntilAskedToStop } from '../session.ts';
import { type System, startSystem } from '../system.ts';

const STORE_PORT = 6379;
const SIMULATOR_PORT = 8090;
/** For jobs that are made up, in a Redis that has others. */
const SIMULATED_PREFIX = '{headstone-dev}';

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
          // A Redis that was there before has jobs that nobody meant for a simulator: they are left alone.
          const isApart = !real && configuration.redisUrl !== undefined && process.env.HEADSTONE_PREFIX === undefined;
          const env: Record<string, string> = isApart ? { HEADSTONE_PREFIX: SIMULATED_PREFIX } : {};
          const system = await startSystem({
            redisUrl: configuration.redisUrl,
            storePort: STORE_PORT,
            simulatorPort: SIMULATOR_PORT,
            simulate: !real,
            workers: 1,
            revive: true,
            serverPort: configuration.port,
            env,
            onLine: (process, line) => print(readable(process, line)),
          });
          printAddresses(system, configuration, env);
          const ended = await Promise.race([asked, system.firstEnded]);
          if (ended !== undefined) {
            await system.stop();
            const lost = ended === 'store' ? ' What it held in memory is gone.' : '';
            throw new Error(`The ${ended} has ended, and the others were stopped.${lost} Start all of it again.`);
          }
          return system.stop;
        });
      }),
    'headstone dev',
    'OPENAI_API_KEY=sk-… headstone dev --live',
  );
}

function printAddresses(
  { serverUrl, simulatorUrl, redisUrl, workerPids }: System,
  configuration: Configuration,
  env: Record<string, string>,
): void {
  const inMemory = configuration.redisUrl === undefined;
  const key = !configuration.apiKeys?.length ? 'with any key' : 'with one of HEADSTONE_API_KEYS';
  print('\nHeadstone is up. Ctrl-C stops everything.');
  print(`  Jobs       ${serverUrl}/jobs  (look, and cancel)`);
  print(`  Waste      ${serverUrl}/waste`);
  print(`  Board      ${serverUrl}/board`);
  print(`  API        ${serverUrl}/v1  (the base URL for any openai client, ${key}; described at /docs)`);
  if (simulatorUrl) print(`  Simulator  ${simulatorUrl}  (cancelled responses flip to completed)`);
  print(`  Store      ${withoutPassword(redisUrl)}${inMemory ? '  (in memory)' : ''}`);
  print('\nTry, in another terminal:');
  const isUsual = redisUrl === `redis://127.0.0.1:${STORE_PORT}`;
  const settings = { ...env, ...(isUsual ? {} : { REDIS_URL: withoutPassword(redisUrl) }) };
  const elsewhere = Object.entries(settings).map(([name, value]) => `${name}='${value}' `);
  print(`  ${elsewhere.join('')}npm run --silent headstone -- enqueue "Write a report on tides" --wait`);
  print(`  kill -9 ${workerPids().join(' ')}  (the worker: another one takes over, and nothing is lost)\n`);
}

/** What stands on a screen is copied into reports. */
function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//…@');
}

/** A log line for eyes: when, who, what, and the facts. */
function readable(process: string, { level, event, time, pid, ...fields }: LogLine): string {
  const clock = (typeof time === 'string' ? time : new Date().toISOString()).slice(
    'YYYY-MM-DDT'.length,
    -'.000Z'.length,
  );
  const facts = Object.entries(fields).flatMap(([name, value]) => (value === null ? [] : [`${name}=${shown(value)}`]));
  return `${clock}  ${process.padEnd(9)}  ${String(level).padEnd(5)}  ${event}  ${facts.join(' ')}`.trimEnd();
}

/** Ids by as much as tells them apart; the pages have them whole. */
function shown(value: unknown): string {
  const text = String(value).replace(/^(resp_[0-9a-z]{8})[0-9a-z]{8,}$/i, '$1…');
  return text.includes(' ') ? JSON.stringify(text) : text;
}
