// Very many callers, callers without a key, and callers who neither send nor read.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startChild } from '../../src/cli/processes/children.ts';
import type { Producer } from '../../src/producer/producer.ts';
import { openRouter } from '../../src/server/router.ts';
import { loadConfiguration } from '../../src/shared/runtime/configuration.ts';
import { Telemetry } from '../../src/shared/runtime/telemetry.ts';
import { startHarness } from '../support/harness.ts';
import { runJob } from '../support/store.ts';

const key = 'key-of-alice-0123456789';
const authorization = `Bearer ${key}`;
/** What a caller takes for slow. */
const SLOW_MS = 2000;

/** The memory of a process on Linux, in megabytes. */
function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000;
}

/** A server in a process of its own, so that its memory is its own. */
async function startServerProcess(env: Record<string, string> = {}) {
  const server = await startChild(['server', '--port', '0'], {
    env: {
      REDIS_URL: inject('redisUrl'),
      HEADSTONE_PREFIX: '{crowds}',
      HEADSTONE_API_KEYS: JSON.stringify([{ name: 'alice', key, tenant: 'harbour' }]),
      ...env,
    },
  });
  onTestFinished(() => server.stop());
  const { address, pid } = server;
  // What it loads at its first calls is not what a crowd costs.
  await longestCall(address, 3);
  const before = memoryOf(pid);
  return { address, grownMb: () => memoryOf(pid) - before };
}

async function openSockets(url: string, count: number, first: (n: number) => string): Promise<Socket[]> {
  const { hostname, port } = new URL(url);
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let n = 0; n < count; n += 1) {
    const socket = connect(Number(port), hostname).on('error', () => {});
    sockets.push(socket);
    // The kernel takes a few hundred at a time that nobody has accepted yet.
    if (n % 200 === 199) await once(socket, 'connect');
    const text = first(n);
    if (text !== '') socket.write(text);
  }
  return sockets;
}

async function longestCall(url: string, times: number): Promise<number> {
  let longest = 0;
  for (let n = 0; n < times; n += 1) {
    const startedAt = performance.now();
    expect((await fetch(`${url}/v1/jobs?limit=1`, { headers: { authorization } })).status).toBe(200);
    longest = Math.max(longest, performance.now() - startedAt);
  }
  return longest;
}

test('I9: ten thousand connections that say nothing, or begin and do not go on, keep nobody up', {
  timeout: 60_000,
}, async () => {
  const { address, grownMb } = await startServerProcess();
  const begun =
    'POST /v1/responses HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n{';
  const sockets = await openSockets(address, 10_000, n => (n % 10 === 0 ? begun : ''));
  expect(await longestCall(address, 20)).toBeLessThan(SLOW_MS);
  expect(grownMb()).toBeLessThan(200);
  expect(sockets.filter(({ destroyed }) => !destroyed).length).toBeGreaterThan(9900);
});

test('a sender who does not end, and a reader who does not read, are given up in time', () => {
  const { configuration } = loadConfiguration({});
  const { server } = openRouter(configuration, new Telemetry());
  // To wait for them would take a minute and a quarter of an hour.
  expect(server.requestTimeout).toBe(60_000);
  expect(server.timeout).toBe(900_000);
});

test('I12: a flood without a key, and with wrong ones, is refused, and others are served meanwhile', {
  timeout: 60_000,
}, async () => {
  const { address, grownMb } = await startServerProcess();
  let isOver = false;
  const statuses = new Map<number, number>();
  const flood = async (n: number) => {
    for (let call = 0; !isOver; call += 1) {
      const headers: Record<string, string> = n % 2 === 0 ? {} : { authorization: `Bearer guess-${n}-${call}` };
      const { status } = await fetch(`${address}/v1/responses`, { method: 'POST', headers, body: '{}' });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  const flooding = Array.from({ length: 50 }, (_, n) => flood(n));
  expect(await longestCall(address, 40)).toBeLessThan(SLOW_MS);
  isOver = true;
  await Promise.all(flooding);
  expect([...statuses.keys()]).toEqual([401]);
  expect(statuses.get(401)).toBeGreaterThan(500);
  expect(grownMb()).toBeLessThan(150);
});

/** A job that runs, of whose stream twelve megabytes are in the store. Kernels keep four of them for a reader who does not read. */
async function longStream({ store }: Producer, id: string): Promise<void> {
  await runJob(store, id, 'resp_long', { stream: true, tenant: 'harbour' });
  const attached = { id, response_id: 'resp_long', token: 'follower', live_ms: 60_000 };
  expect((await store.run('attach_stream', attached)).reply).toBe('attached');
  const delta = 'x'.repeat(50_000);
  const bounds = { item_ids: [], are_theirs: true, has_output: true, most_batches: 1000, most_bytes: 16_000_000 };
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const after = batch * 4 - 1;
    const events = [1, 2, 3, 4].map(n => ({ type: 'response.output_text.delta', sequence_number: after + n, delta }));
    const given = { id, token: 'follower', after, last: after + 4, ...bounds };
    expect((await store.run('append_events', given, JSON.stringify(events))).reply).toBe('appended');
  }
}
const BATCHES = 60;

test('I9: readers who do not read a long stream take little memory, and others read it to its end', {
  timeout: 60_000,
}, async () => {
  const { producer, prefix } = await startHarness({ workers: 0, env: { HEADSTONE_LANES: '1' } });
  await longStream(producer, 'long');
  const { address, grownMb } = await startServerProcess({
    HEADSTONE_PREFIX: prefix,
    NODE_OPTIONS: '--max-old-space-size=128 --max-semi-space-size=4',
  });
  const path = '/v1/responses/long?stream=true';
  const silent = await openSockets(address, 80, () => {
    const { host } = new URL(address);
    return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${authorization}\r\n\r\n`;
  });
  for (const socket of silent) socket.pause();
  expect(await longestCall(address, 20)).toBeLessThan(SLOW_MS);
  const { body } = await fetch(`${address}${path}`, { headers: { authorization } });
  let read = 0;
  for await (const chunk of body ?? []) {
    read += chunk.length;
    if (read > BATCHES * 200_000) break;
  }
  expect(read).toBeGreaterThan(BATCHES * 200_000);
  // Eighty copies of it would be 960 MB, of which kernels keep a third.
  expect(grownMb()).toBeLessThan(150);
});
