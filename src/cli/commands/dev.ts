import { Command } from 'commander';
import { loadConfiguration } from '../../shared/runtime/configuration.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';
import type { LogLine } from '../processes/children.ts';
import { assertFree } from '../processes/ports.ts';
import { requireKey } from '../processes/require-key.ts';
import { runUntilAskedToStop } from '../processes/session.ts';
import { type System, startSystem } from '../processes/system.ts';
import { print, withExamples } from '../terminal/output.ts';
import { parsePort } from '../terminal/parse.ts';

const STORE_PORT = 6379;
const SIMULATOR_PORT = 8090;
/** The prefix for simulated jobs in a Redis that has real ones. */
const SIMULATED_PREFIX = '{headstone-dev}';

export function devCommand(): Command {
  return withExamples(
    new Command('dev')
      .option('--port <number>', 'the port of the server; default: HEADSTONE_PORT, 3000', parsePort)
      .option('--live', 'use the real provider instead of the simulator, which costs real money')
      .action(async ({ live = false, port: wanted }: { live?: boolean; port?: number }) => {
        const { configuration, warnings } = loadConfiguration(process.env);
        const port = wanted ?? configuration.port;
        for (const warning of warnings) process.stderr.write(`${warning}\n`);
        const real = live || configuration.live;
        if (real) {
          requireKey(configuration, 'leave out --live and HEADSTONE_LIVE');
          print('LIVE: every job that you enqueue runs at the real provider and is billed to your key.');
        }
        await assertFree(port, '--port or HEADSTONE_PORT');
        await runUntilAskedToStop(async asked => {
          // An existing Redis may have real jobs, which must not run on a simulator.
          const isApart = !real && configuration.redisUrl !== undefined && process.env.HEADSTONE_PREFIX === undefined;
          const env: Record<string, string> = isApart ? { HEADSTONE_PREFIX: SIMULATED_PREFIX } : {};
          const system = await startSystem({
            redisUrl: configuration.redisUrl,
            storePort: STORE_PORT,
            simulatorPort: SIMULATOR_PORT,
            simulate: !real,
            workers: 1,
            revive: true,
            serverPort: port,
            env,
            onLine: (process, line) => print(readable(process, line)),
          });
          printAddresses(system, configuration, env);
          const ended = await Promise.race([asked, system.firstEnded]);
          if (ended !== undefined) {
            await system.stop();
            const lost = ended === 'store' ? ' The data that it held in memory is gone.' : '';
            throw new Error(
              `The ${ended} has ended, so the other processes were stopped.${lost} Run the command again.`,
            );
          }
          return system.stop;
        });
      }),
    'headstone dev',
    'headstone dev --port 8080',
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
  print(`  Overview   ${serverUrl}/`);
  print(`  Jobs       ${serverUrl}/jobs  (see what happens, and cancel)`);
  print(`  Waste      ${serverUrl}/waste`);
  print(`  Board      ${serverUrl}/board`);
  print(`  API        ${serverUrl}/v1  (the base URL for any openai client, ${key}; documented at /docs)`);
  if (simulatorUrl) print(`  Simulator  ${simulatorUrl}  (cancelled responses flip to completed)`);
  print(`  Store      ${withoutPassword(redisUrl)}${inMemory ? '  (in memory)' : ''}`);
  print('\nTry, in another terminal:');
  const isUsual = redisUrl === `redis://127.0.0.1:${STORE_PORT}`;
  const settings = { ...env, ...(isUsual ? {} : { REDIS_URL: withoutPassword(redisUrl) }) };
  const elsewhere = Object.entries(settings).map(([name, value]) => `${name}='${value}' `);
  print(`  ${elsewhere.join('')}npm run --silent headstone -- enqueue "Write a report on tides" --wait`);
  print(`  kill -9 ${workerPids().join(' ')}  (kills the worker; another one takes over, and nothing is lost)\n`);
}

/** The URL for the screen, because people copy the screen into reports. */
function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//…@');
}

/** A log line for people: the time, the process, the event and its fields. */
function readable(process: string, { level, event, time, pid, ...fields }: LogLine): string {
  const clock = (typeof time === 'string' ? time : new Date().toISOString()).slice(
    'YYYY-MM-DDT'.length,
    -'.000Z'.length,
  );
  const facts = Object.entries(fields).flatMap(([name, value]) => (value === null ? [] : [`${name}=${shown(value)}`]));
  return `${clock}  ${process.padEnd(9)}  ${String(level).padEnd(5)}  ${event}  ${facts.join(' ')}`.trimEnd();
}

/** A field's value. Ids are shortened; the pages show them whole. */
function shown(value: unknown): string {
  const text = String(value).replace(/^(resp_[0-9a-z]{8})[0-9a-z]{8,}$/i, '$1…');
  return text.includes(' ') ? JSON.stringify(text) : text;
}
