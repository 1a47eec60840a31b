import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startChild } from '../../src/cli/processes/children.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { headstone } from '../support/cli.ts';
import { processesWith } from '../support/processes.ts';
import { atTerminal } from '../support/terminal.ts';

function freshPrefix(): Record<string, string> {
  const prefix = `{test-${randomUUID().slice(0, 8)}}`;
  onTestFinished(async () => {
    const redis = new Redis(inject('redisUrl'));
    const keys = await redis.keys(`${prefix}*`);
    if (keys.length > 0) await redis.unlink(...keys);
    redis.disconnect();
  });
  return { HEADSTONE_PREFIX: prefix };
}

test('the demo ends by itself with exit code 0, and leaves no process behind', { timeout: 60_000 }, async () => {
  // A mark in the environment of every process of the tree, so that a process that stays can be found.
  const mark = `TEST_MARK=${randomUUID()}`;
  const { code, stdout, stderr } = await headstone(['demo'], {
    REDIS_URL: '',
    [mark.split('=')[0] as string]: mark.split('=')[1] as string,
  });
  expect(stderr).toBe('');
  expect(processesWith(mark)).toEqual([]);
  expect(code).toBe(0);
  expect(stdout).toContain('cancel  cancelled, usage null');
  expect(stdout).toMatch(/read {4}completed: the whole text is there, and \d+ tokens are charged/);
  for (const part of ['2 while launching', '2 while queued', '5 while running']) expect(stdout).toContain(part);
  expect(stdout).toContain('30 responses and the ledger has 30 rows, with 0 differences');
  expect(stdout).toMatch(
    /You cancelled 9 jobs\. The provider finished 6 of them anyway and charged \$\d+\.\d\d.*Nobody saw their results\./,
  );
});

test('the demo at a terminal: a table that is redrawn says where each cancelled job stands', {
  timeout: 60_000,
}, async () => {
  const { pictures, code } = await atTerminal('demo', { REDIS_URL: '' });
  expect(code).toBe(0);
  const during = pictures.findIndex(picture => picture.includes('running    cancelled  cancelled'));
  expect(during).toBeGreaterThan(0);
  const last = pictures.at(-1) ?? '';
  expect(last.match(/ PROVIDER /g)).toHaveLength(1);
  expect(last.match(/cancelled {2}completed/g)).toHaveLength(6);
  expect(last.match(/cancelled {2}never asked/g)).toHaveLength(2);
  expect(last).toContain('The others: 23 completed.');
  expect(last).toContain('30 responses and the ledger has 30 rows, with 0 differences');
  expect(last).not.toMatch(/^ {3}late /m);
});

test('the demo at a terminal: Ctrl-C in the middle of its table ends it in order, and leaves no process behind', {
  timeout: 60_000,
}, async () => {
  const mark = randomUUID();
  const env = { REDIS_URL: '', TEST_MARK: mark };
  let isPressed = false;
  const { code, pictures } = await atTerminal('demo', env, picture => {
    if (isPressed || !picture.includes('PROVIDER')) return undefined;
    isPressed = true;
    return '\u0003';
  });
  expect(isPressed).toBe(true);
  expect(code).toBe(130);
  expect(processesWith(`TEST_MARK=${mark}`)).toEqual([]);
  expect(pictures.at(-1)).not.toContain('3  The result');
});

test('enqueue, list, cancel, get, waste: as a person types them', { timeout: 60_000 }, async () => {
  const env = freshPrefix();
  const enqueued = await headstone(['enqueue', 'Write about tides', '--tag', 'nightly', '--tenant', 'harbour'], env);
  expect(enqueued).toMatchObject({ code: 0, stderr: '' });
  const id = enqueued.stdout.trim();
  expect(id).toMatch(/^resp_[0-9a-f]{32}\d{0,2}$/);
  expect((await headstone(['list', '--tag', 'nightly', '--json'], env)).stdout).toContain(
    `"id":"${id}","status":"queued"`,
  );
  expect(await headstone(['cancel', id, '--reason', 'wrong', '--actor', 'alice'], env)).toMatchObject({
    code: 0,
    stdout: `${id}  cancelled\n`,
  });
  expect(await headstone(['cancel', id], env)).toMatchObject({
    code: 0,
    stdout: `${id}  had already been cancelled\n`,
  });
  expect((await headstone(['get', id], env)).stdout).toMatch(
    /Cancelled by alice \(“wrong”\), .* after it was enqueued\.[\s\S]*Cancelled by alice: “wrong”\./,
  );
  const waited = await headstone(['wait', id], env);
  expect(waited).toMatchObject({ code: 1, stderr: `Job ${id} was cancelled by alice: wrong\n` });
  expect((await headstone(['waste', '--by', 'cause'], env)).stdout).toMatch(/WASTED\nCAUSE +TOKENS/);
});

test('a worker process runs what the CLI enqueues; a cancel that comes too late has exit code 3', {
  timeout: 60_000,
}, async () => {
  const env = freshPrefix();
  const simulator = await startSimulator({ port: 0, speed: 20 });
  const worker = await startChild(['worker'], {
    env: {
      ...env,
      REDIS_URL: inject('redisUrl'),
      OPENAI_BASE_URL: simulator.url,
      OPENAI_API_KEY: 'any',
      HEADSTONE_POLL_MIN_MS: '100',
    },
  });
  onTestFinished(async () => {
    await worker.stop();
    await simulator.close();
  });
  const done = await headstone(['enqueue', '--file', '-', '--wait'], env, 'About eels\n\nAbout kelp\n');
  expect(done).toMatchObject({ code: 0, stderr: '' });
  expect(done.stdout).toBe(
    'Here is what there is to say about: About eels\nHere is what there is to say about: About kelp\n',
  );
  const [last] = (await headstone(['list', '--json', '--limit', '1'], env)).stdout.split('\n');
  const { id } = JSON.parse(last ?? '') as { id: string };
  const late = await headstone(['cancel', id, '--json'], env);
  expect(late).toMatchObject({ code: 3, stdout: `{"id":"${id}","verdict":"already_completed"}\n` });
});

test.for([
  ['an unknown command', ['enqeue'], 2, /unknown command 'enqeue'[\s\S]*Did you mean enqueue/],
  ['no prompt', ['enqueue'], 2, /There is no prompt\. Give it in quotes/],
  [
    'a file that is not there',
    ['enqueue', '--file', '/nowhere.txt'],
    2,
    /The file \/nowhere.txt could not be read \(ENOENT\)/,
  ],
  ['an id with a colon', ['get', 'a:b'], 2, /id must be 1 to 64 characters/],
  ['no such job', ['cancel', 'nobody'], 1, /There is no job nobody/],
  ['a status that does not exist', ['list', '--status', 'dead'], 2, /Allowed choices are queued, launching/],
  ['a port that is none', ['simulator', '--port', 'x'], 2, /It must be a port/],
  ['nothing to pause', ['pause'], 2, /Say what to pause: headstone pause launch\./],
  ['something else to pause', ['pause', 'polls'], 2, /Say what to pause: headstone pause launch\./],
  ['a part of a command without its argument', ['lanes', 'raise'], 2, /missing required argument 'number'/],
  ['a limit that is too large', ['list', '--limit', '5000'], 2, /^--limit must be at most 1000\./],
  ['a worker without a key', ['worker'], 2, /OPENAI_API_KEY is not set/],
] as const)('wrong use: %s is a sentence on stderr', { timeout: 20_000 }, async ([, args, code, sentence]) => {
  const ran = await headstone([...args], { ...freshPrefix(), OPENAI_API_KEY: '' });
  expect(ran.code).toBe(code);
  expect(ran.stderr).toMatch(sentence);
  expect(ran.stderr).not.toContain('    at ');
});

test('--json everywhere: exit codes as without it, and nothing on standard output but JSON', {
  timeout: 60_000,
}, async () => {
  const env = freshPrefix();
  const run = (...args: string[]) => headstone(args, env);
  for (const id of ['one', 'two']) await run('enqueue', 'About tides', '--id', id, '--tag', 'nightly');
  const undecided = await run('cancel', '--tag', 'nightly', '--json');
  expect(undecided).toMatchObject({ code: 2, stdout: '' });
  expect(undecided.stderr).toContain('This would cancel 2 jobs');
  const paused = await run('pause', 'launch', '--json');
  expect(paused).toMatchObject({ code: 0, stdout: '{"launch_paused":true}\n' });
  expect((await run('resume', 'launch', '--json')).stdout).toBe('{"launch_paused":false}\n');
  const slip = await run('cancel', 'one', 'not an id');
  expect(slip.code).toBe(2);
  expect((await run('get', 'one')).stdout).toContain('queued');
  await run('cancel', 'one');
  const watched = await run('watch', 'one', '--json');
  expect(watched.code).toBe(1);
  expect(JSON.parse(watched.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ type: 'response.failed' });
  const none = await run('cancel', '--tag', 'nobody', '--json');
  expect(JSON.parse(none.stdout)).toMatchObject({ jobs: 0 });
});

test('a bulk cancel: what is refused is no success, what matches nothing says so, filters that cannot be meant are asked about', {
  timeout: 60_000,
}, async () => {
  const env = freshPrefix();
  const run = (...args: string[]) => headstone(['cancel', ...args], env);
  expect(await run('--tag', 'nobody', '--yes')).toEqual({ code: 0, stdout: 'No open job matches.\n', stderr: '' });
  expect((await run('--tag', 'a', '--tag', 'b', '--dry-run')).stderr).toContain('It can be given only once.');
  expect((await run('--all', '--tag', 'a', '--dry-run')).code).toBe(2);
  await headstone(['enqueue', 'About tides', '--tag', 'a'], env);
  const { stdout } = await run('--tag', 'a', '--dry-run');
  expect(stdout).toContain('This would cancel 1 job (1 queued). The cost of 1 job is not known');
  let isAnswered = false;
  const { code, pictures } = await atTerminal('cancel --tag a', { ...env, REDIS_URL: inject('redisUrl') }, picture => {
    if (isAnswered || !picture.includes('[y/N]')) return undefined;
    isAnswered = true;
    return 'n\r';
  });
  expect(pictures.at(-1)).toContain('Nothing was cancelled.');
  expect(code).toBe(1);
});

test('launches that are held back: status and a wait say which, and what to do', { timeout: 60_000 }, async () => {
  const env = { ...freshPrefix(), OPENAI_API_KEY: 'any', OPENAI_BASE_URL: 'http://127.0.0.1:59998/v1' };
  const worker = await startChild(['worker'], { env: { ...env, REDIS_URL: inject('redisUrl') } });
  onTestFinished(worker.stop);
  await headstone(['enqueue', 'About tides', '--id', 'held'], env);
  const status = async () => (await headstone(['status'], env)).stdout;
  await expect
    .poll(status, { timeout: 20_000 })
    .toContain('held: all launches (no_route). The provider cannot be reached. Check OPENAI_BASE_URL');
  expect((await headstone(['get', 'held'], env)).stdout).toContain('It is waiting, because all launches are held.');
});

test('no store: one sentence, and what to do', { timeout: 20_000 }, async () => {
  const ran = await headstone(['list'], { REDIS_URL: 'redis://127.0.0.1:1' });
  expect(ran).toMatchObject({ code: 1, stdout: '' });
  expect(ran.stderr).toMatch(
    /^Redis at 127\.0\.0\.1:1 does not answer \(ECONNREFUSED\)\. Start it, or point REDIS_URL at one that runs\. "headstone store".*\n$/,
  );
});

test('wrong settings: every problem at once, exit code 2', { timeout: 20_000 }, async () => {
  const ran = await headstone(['list'], { HEADSTONE_MAX_IN_FLIGHT: 'many', LOG_LEVEL: 'loud' });
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain('HEADSTONE_MAX_IN_FLIGHT must be a whole number');
  expect(ran.stderr).toContain('LOG_LEVEL must be');
});

test.for([
  'enqueue',
  'get',
  'wait',
  'list',
  'cancel',
  'waste',
  'worker',
  'server',
  'simulator',
  'store',
  'dev',
  'demo',
])('help: %s shows an example', { timeout: 20_000 }, async command => {
  const { code, stdout } = await headstone([command, '--help']);
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`Examples?:\\n.*headstone ${command}|Examples?:\\n[\\s\\S]*${command}`));
});

test('a child whose parent is killed ends too', { timeout: 20_000 }, async () => {
  const parent = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    `
    import { startChild } from ${JSON.stringify(new URL('../../src/cli/processes/children.ts', import.meta.url).href)};
    const child = await startChild(['store', '--port', '0']);
    console.log(child.pid);
    setInterval(() => {}, 1000);
  `,
  ]);
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
