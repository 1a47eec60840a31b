import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { root } from '../../tools/run-file.ts';
import { startFrontDoor } from '../support/front-door.ts';

const run = promisify(execFile);
const key = 'key-of-the-harbour';
const apiKeys = [{ name: 'harbour', key, tenant: 'harbour', admin: false }];

async function ranAgainstServer(command: string, file: string): Promise<string> {
  const { server, producer, happened } = await startFrontDoor({ apiKeys });
  const { stdout } = await run(command, [join(root, file), `${server.url}/v1`], {
    env: { ...process.env, HEADSTONE_API_KEY: key },
  });
  const [cancelled] = await producer.list({ tenant: 'harbour', status: 'cancelled' });
  expect(cancelled?.tombstone).toMatchObject({ reason: 'wrong prompt', actor: 'alice', key_name: 'harbour' });
  // Every request is accounted for, launched or not.
  if ((await producer.get(cancelled?.id ?? ''))?.launches.length) await happened('tokens_wasted');
  return stdout;
}

const hasCurl = spawnSync('curl', ['--version']).status === 0;
if (!hasCurl) process.stdout.write('There is no curl here, so its example is left out.\n');

test.runIf(hasCurl)('examples/curl: the steps of any HTTP client', async () => {
  expect(await ranAgainstServer('sh', 'examples/curl/app.sh')).toBe('report: completed\nunwanted: cancelled\n');
});

const hasPythonClient = spawnSync('python3', ['-c', 'import openai']).status === 0;
if (!hasPythonClient)
  process.stdout.write(
    'python3 has no package openai here (pip install openai): its example is left out; the one for curl takes the same steps.\n',
  );

test.runIf(hasPythonClient)('examples/python: the unchanged client with a base_url', async () => {
  expect(await ranAgainstServer('python3', 'examples/python/app.py')).toBe('report: completed\nunwanted: cancelled\n');
});
