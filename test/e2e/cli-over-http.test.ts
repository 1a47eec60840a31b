import { expect, test } from 'vitest';
import { abandonedCancellations } from '../../src/shared/store/run-cancellation.ts';
import { headstone, type Ran, startCommand } from '../support/cli.ts';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted } from '../support/harness.ts';
import { startProxy } from '../support/proxy.ts';
import { startUpstream } from '../support/upstream.ts';

const apiKeys = [
  { name: 'operator', key: 'key-of-the-operator', tenant: 'default', admin: true },
  { name: 'harbour', key: 'key-of-the-harbour', tenant: 'harbour', admin: false },
];

/** Settings without a Redis to fall back on. */
async function commandLine(options: Parameters<typeof startFrontDoor>[0] = {}) {
  const door = await startFrontDoor({ ...options, apiKeys });
  const as =
    (key: string) =>
    async (...args: string[]): Promise<Ran> =>
      await headstone([...args, '--server', door.server.url], {
        REDIS_URL: 'redis://127.0.0.1:1',
        HEADSTONE_API_KEY: key,
      });
  return { ...door, as, run: as('key-of-the-operator') };
}

test('--server: enqueue, wait, watch, get, list and the ledger, without a Redis', { timeout: 60_000 }, async () => {
  const { run } = await commandLine();
  const done = await run('enqueue', 'About eels', '--id', 'eels', '--tag', 'nightly', '--wait');
  expect(done).toEqual({ code: 0, stderr: '', stdout: 'Here is what there is to say about: About eels\n' });
  expect((await run('wait', 'eels')).stdout).toBe(done.stdout);
  expect(JSON.parse((await run('get', 'eels', '--json')).stdout)).toMatchObject({
    id: 'eels',
    status: 'completed',
    tags: ['nightly'],
    ledger: [{ kind: 'used' }],
    response: { id: 'eels', status: 'completed' },
  });
  expect((await run('list', '--tag', 'nightly')).stdout).toMatch(/^ID .*\neels +completed/);
  const streamed = await run('enqueue', 'About kelp', '--stream', '--id', 'kelp');
  expect(streamed).toEqual({ code: 0, stderr: '', stdout: 'Here is what there is to say about: About kelp\n' });
  const watched = await run('watch', 'kelp');
  expect(watched.stdout).toBe(streamed.stdout);
  expect(watched.stderr).toMatch(/UTC {2}The provider accepted the launch as resp_[\s\S]*Completed\./);
  const csv = (await run('ledger', '--since', '2020-01-01', '--format', 'csv')).stdout.trim().split('\n');
  expect(csv).toHaveLength(3);
  expect((await run('waste')).stdout).toContain('gpt-5.5');
});

test('--server: cancels by id and by filter, with verdicts and exit codes', { timeout: 60_000 }, async () => {
  const { run } = await commandLine({ workers: 0 });
  expect((await run('enqueue', 'About tides', '--id', 'tides', '--tag', 'nightly')).stdout).toBe('tides\n');
  expect(await run('cancel', 'tides', '--actor', 'alice', '--reason', 'wrong')).toMatchObject({
    code: 0,
    stdout: 'tides  cancelled\n',
  });
  expect((await run('cancel', 'tides')).stdout).toBe('tides  had already been cancelled\n');
  expect(await run('wait', 'tides')).toMatchObject({ code: 1, stderr: 'Job tides was cancelled by alice: wrong\n' });
  expect(await run('cancel', 'nobody')).toMatchObject({ code: 1, stderr: 'There is no job nobody.\n' });
  for (const id of ['one', 'two']) await run('enqueue', 'About dunes', '--id', id, '--tag', 'nightly');
  expect((await run('cancel', '--tag', 'nightly', '--dry-run')).stdout).toContain('This would cancel 2 jobs');
  expect((await run('cancel', '--tag', 'nightly')).stderr).toContain('Add --yes');
  expect((await run('cancel', '--tag', 'nightly', '--yes')).stdout).toBe('Cancelled 2 of 2.\n');
  expect(await run('wait', 'one', '--timeout', '1s')).toMatchObject({ code: 1, stderr: 'Job one was cancelled\n' });
});

test('--server: the switch for spending is for admins, and a foreign job is nobody’s (I12)', {
  timeout: 60_000,
}, async () => {
  const { run, as } = await commandLine({ workers: 0 });
  expect((await run('pause', 'launch')).stdout).toBe('Launching is paused.\n');
  expect((await run('status')).stdout).toContain('Launching is PAUSED');
  await run('enqueue', 'About tides', '--id', 'tides', '--tenant', 'museum');
  expect((await run('get', 'tides')).stdout).toContain('It waits, because launching is paused.\nTo resume: headstone');
  await run('resume', 'launch');
  expect((await run('get', 'tides')).stdout).toContain('It waits, because no worker is running.');
  expect(JSON.parse((await run('status', '--json')).stdout)).toMatchObject({ launch_paused: false });
  const stranger = as('key-of-the-harbour');
  expect(await stranger('get', 'tides')).toMatchObject({ code: 1, stderr: 'There is no job tides.\n' });
  expect((await stranger('pause', 'launch')).stderr).toContain('admin key');
  expect((await stranger('status')).stderr).toContain('admin key');
});

test('--server: a late cancel has exit code 3; a wait that is too short says that the job goes on', {
  timeout: 60_000,
}, async () => {
  const { run } = await commandLine();
  await run('enqueue', 'About eels', '--id', 'eels', '--wait');
  expect(await run('cancel', 'eels', '--json')).toMatchObject({
    code: 3,
    stdout: '{"id":"eels","verdict":"already_completed"}\n',
  });
  await run('pause', 'launch');
  await run('enqueue', 'About kelp', '--id', 'kelp');
  const short = await run('wait', 'kelp', '--timeout', '200ms');
  expect(short).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('It is still open. Wait again, or cancel it.'),
  });
});

test.for([
  [
    'no server',
    ['list', '--server', 'http://127.0.0.1:59998'],
    1,
    /^No Headstone server answers at .*ECONNREFUSED.*--server/,
  ],
  ['no URL', ['list', '--server', 'localhost'], 2, /^--server must be a URL like/],
  ['a command that needs none', ['worker', '--server', 'http://127.0.0.1:1'], 2, /unknown option '--server'/],
] as const)('--server, wrong use: %s', { timeout: 20_000 }, async ([, args, code, sentence]) => {
  const ran = await headstone([...args]);
  expect(ran.stderr).toMatch(sentence);
  expect(ran.code).toBe(code);
});

test('--server: a key that is wrong says which setting', { timeout: 20_000 }, async () => {
  const { as } = await commandLine({ workers: 0 });
  const ran = await as('wrong')('list');
  expect(ran).toMatchObject({ code: 1, stdout: '' });
  expect(ran.stderr).toMatch(/needs a valid key\. Set HEADSTONE_API_KEY/);
});

test('--server: a job whose result is gone still says how it ended, as by Redis', { timeout: 60_000 }, async () => {
  const { run, producer } = await commandLine({ workers: 0 });
  for (const id of ['one', 'two']) {
    await run('enqueue', 'About tides', '--id', id);
    await producer.cancel(id, { actor: 'alice' });
  }
  await producer.deleteResult('one');
  expect(await run('cancel', 'one', 'two')).toMatchObject({
    code: 0,
    stdout: 'one  had already been cancelled\ntwo  had already been cancelled\n',
  });
  expect(await run('wait', 'one')).toMatchObject({ code: 1, stderr: 'Job one was cancelled by alice\n' });
  expect(JSON.parse((await run('get', 'one', '--json')).stdout)).toMatchObject({ status: 'cancelled', response: null });
  // The same request gives the same job.
  expect(await run('enqueue', 'About tides', '--id', 'one')).toMatchObject({ code: 0, stdout: 'one\n' });
  expect(await run('get', 'a:b')).toMatchObject({ code: 2, stderr: expect.stringContaining('id must be 1 to 64') });
});

test('--server: a file with one wrong line enqueues nothing', { timeout: 60_000 }, async () => {
  const { server, producer } = await startFrontDoor({ workers: 0 });
  const long = 'x'.repeat(1_000_001);
  const args = ['enqueue', '--file', '-', '--server', server.url];
  const ran = await headstone(args, {}, `About tides\n${long}\nAbout eels\n`);
  expect(ran).toMatchObject({ code: 2, stdout: '' });
  expect(ran.stderr).toContain('Job 2 in the list');
  expect(ran.stderr).toContain('Nothing in the list was enqueued.');
  expect(await producer.list()).toEqual([]);
});

test('--server: a lost answer names the job that may have been enqueued, and nothing of OpenAI’s is told to the server', {
  timeout: 60_000,
}, async () => {
  const ids = new Set<string>();
  const told: string[] = [];
  const url = await startUpstream((request, body, response) => {
    ids.add((JSON.parse(body) as { headstone: { id: string } }).headstone.id);
    told.push(JSON.stringify(request.headers));
    response.destroy();
  });
  const ran = await headstone(['enqueue', 'About tides', '--server', url], {
    HEADSTONE_API_KEY: 'our-own-key',
    OPENAI_API_KEY: 'sk-of-the-provider',
    OPENAI_ADMIN_KEY: 'sk-of-the-provider',
    OPENAI_ORG_ID: 'org-of-the-provider',
    OPENAI_PROJECT_ID: 'proj-of-the-provider',
    OPENAI_CUSTOM_HEADERS: 'authorization: Bearer of-the-provider\nx-gateway: of-the-provider',
  });
  // It was sent again and is the same job.
  expect(ids.size).toBe(1);
  expect(told.length).toBeGreaterThan(1);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain(`It is not known whether job ${[...ids][0]} was enqueued`);
  for (const headers of told) {
    expect(headers).toContain('Bearer our-own-key');
    expect(headers).not.toContain('of-the-provider');
  }
});

test('--server: what answers and is no Headstone is said to be none', { timeout: 60_000 }, async () => {
  const url = await startUpstream((_request, _body, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sign in to the intranet</html>');
  });
  for (const args of [
    ['list'],
    ['get', 'one'],
    ['wait', 'one'],
    ['cancel', 'one'],
    ['status'],
    ['enqueue', 'About tides'],
  ]) {
    const ran = await headstone([...args, '--server', url]);
    expect(ran.stderr, args[0]).toContain('Check --server.');
    expect(ran.code).toBe(1);
  }
});

test('--server: a wait outlives its connection, and hears the outcome from the next one', {
  timeout: 60_000,
}, async () => {
  const { producer, server } = await startFrontDoor({ workers: 0 });
  const { id } = await producer.enqueue(scripted());
  const proxy = await startProxy(Number(new URL(server.url).port));
  const waiting = headstone(['wait', id, '--server', proxy.url]);
  await expect.poll(() => proxy.answered, { timeout: 20_000 }).toBeGreaterThan(0);
  proxy.cut();
  await producer.cancel(id, { actor: 'alice' });
  proxy.heal();
  expect(await waiting).toMatchObject({
    code: 1,
    stderr: `The server is not answering. Trying again …\nJob ${id} was cancelled by alice\n`,
  });
});

test('a wait that nothing ends says why, and Ctrl-C says how to go on', { timeout: 60_000 }, async () => {
  const { server, producer } = await startFrontDoor({ workers: 0 });
  await producer.pauseLaunch(true);
  const child = startCommand(['enqueue', 'About tides', '--id', 'tides', '--wait', '--server', server.url]);
  await expect
    .poll(() => child.stderr(), { timeout: 20_000 })
    .toContain(`launching is paused.\nTo resume: headstone resume launch --server ${server.url}`);
  child.kill('SIGINT');
  expect(await child.ended).toBe(130);
  expect(child.stderr()).toContain(
    `The job was not cancelled. To wait for it again: headstone wait tides --server ${server.url}`,
  );
  expect(await producer.get('tides')).toMatchObject({ status: 'queued' });
});

test.for(['by HTTP', 'by Redis'] as const)(
  'Ctrl-C stops a cancel of many: what is left is left, and nobody goes on with it (%s)',
  {
    timeout: 60_000,
  },
  async way => {
    const door = await startFrontDoor({ workers: 0, apiKeys });
    const { producer, server, prefix, redisUrl } = door;
    const request = scripted();
    await producer.enqueueMany(Array.from({ length: 20_000 }, () => ({ request, options: { tags: ['huge'] } })));
    const cancelled = async () => (await producer.depths()).jobs.cancelled ?? 0;
    const command = startCommand(
      ['cancel', '--tag', 'huge', '--yes', ...(way === 'by HTTP' ? ['--server', server.url] : [])],
      { HEADSTONE_API_KEY: 'key-of-the-operator', HEADSTONE_PREFIX: prefix, REDIS_URL: redisUrl },
    );
    await expect.poll(cancelled, { timeout: 20_000, interval: 10 }).toBeGreaterThan(100);
    command.kill('SIGINT');
    expect(await command.ended).toBe(130);
    const [, shown = '', of] = /^Stopped: cancelled ([\d,]+) of ([\d,]+)\.$/m.exec(command.stdout()) ?? [];
    expect(of).toBe('20,000');
    expect(Number(shown.replace(',', ''))).toBe(await cancelled());
    expect(await cancelled()).toBeLessThan(20_000);
    const lanes = await producer.store.allLanes();
    expect((await Promise.all(lanes.map(lane => abandonedCancellations(lane, 0)))).flat()).toEqual([]);
  },
);

test('--server: one that sends elsewhere is said to, before a POST becomes a GET on the way', {
  timeout: 30_000,
}, async () => {
  const url = await startUpstream((_call, _body, response) => {
    response.writeHead(301, { location: 'https://headstone.example/' }).end();
  });
  const { code, stderr } = await headstone(['cancel', 'some-job', '--server', url]);
  expect(stderr).toMatch(/redirects to https:\/\/headstone\.example\/\. Use that as --server\./);
  expect(code).toBe(1);
});

test('--server: a bulk cancel that too few replicas hold is told so, as by Redis', { timeout: 60_000 }, async () => {
  const { run, producer } = await commandLine({ workers: 0, env: { HEADSTONE_WAIT_REPLICAS: '1' } });
  await producer.enqueueMany(Array.from({ length: 30 }, () => ({ request: scripted(), options: { tags: ['t'] } })));
  const { code, stdout, stderr } = await run('cancel', '--tag', 't', '--yes');
  expect(stderr).toContain('only 0 of 1 replicas have confirmed it');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(await producer.list({ status: 'cancelled' })).toHaveLength(30);
});
