import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { root } from '../../tools/run-file.ts';
import { startFrontDoor } from '../support/front-door.ts';

const run = promisify(execFile);

/** Runs an example of a client that knows nothing of background responses. Its second call is aborted. */
async function ranPlainly(command: string, file: string): Promise<string> {
  const { server, happened, producer } = await startFrontDoor({
    env: {
      HEADSTONE_UPGRADE: '1',
      HEADSTONE_DISCONNECT_GRACE_MS: '200',
      HEADSTONE_SETTLE_WINDOW_MS: '6000',
      // The example is a process of its own, which needs the machine to start.
      HEADSTONE_LAUNCH_TIMEOUT_MS: '10000',
    },
    speed: 2,
  });
  const { stdout } = await run(command, [join(root, file), `${server.url}/v1`], { timeout: 25_000 });
  await happened('tokens_wasted', ({ reason }) => reason === 'client_disconnected');
  const [unwanted] = await producer.list({ status: 'cancelled' });
  expect(unwanted?.tombstone).toMatchObject({ reason: 'client_disconnected' });
  return stdout;
}

for (const [file, said] of Object.entries({
  'examples/plain-openai/app.ts': /^report: Here is what there is to say about: Write a report on tides\n/,
  'examples/ai-sdk/app.ts': /^report: 2 steps: .*sunny in Lisbon/,
  'examples/openai-agents/app.ts': /^report: .*sunny in Lisbon/,
  'examples/langchain/app.ts': /^report: Lisbon\n/,
}))
  test(file, async () => {
    const output = await ranPlainly(process.execPath, file);
    expect(output).toMatch(said);
    expect(output).toMatch(/\nunwanted: aborted\n$/);
  });

const hasCurl = spawnSync('curl', ['--version']).status === 0;
if (!hasCurl) process.stdout.write('There is no curl here, so examples/curl/plain.sh is left out.\n');

test.runIf(hasCurl)('examples/curl/plain.sh', async () => {
  expect(await ranPlainly('sh', 'examples/curl/plain.sh')).toMatch(/^report: Here is what .*\nunwanted: aborted\n$/);
});
