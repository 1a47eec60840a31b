import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { audit } from '../../src/cli/reports/audit.ts';
import type { Job } from '../../src/shared/contract/job.ts';
import { root, runFile } from '../../tools/run-file.ts';
import { scripted, startHarness } from '../support/harness.ts';

/** The last commit whose records have a field for each launch, a list of every step, and a sum for each measure. */
const BEFORE = 'a592284';
const hasIt = spawnSync('git', ['cat-file', '-e', `${BEFORE}^{commit}`], { cwd: root }).status === 0;
const why = hasIt ? '' : ` (skipped: this checkout does not have the commit ${BEFORE})`;

const settings = {
  HEADSTONE_POLL_MIN_MS: '50',
  HEADSTONE_POLL_MAX_MS: '200',
  HEADSTONE_SETTLE_FIRST_MS: '150',
  HEADSTONE_SETTLE_WINDOW_MS: '8000',
  HEADSTONE_UNKNOWN_GRACE_MS: '300',
  HEADSTONE_LOCK_MS: '2000',
};

/** The source of that commit, beside the packages of this one. */
function sourceOfBefore(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headstone-before-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const archive = spawnSync('git', ['archive', BEFORE, 'src', 'package.json'], { cwd: root, maxBuffer: 100_000_000 });
  mkdirSync(folder, { recursive: true });
  const unpacked = spawnSync('tar', ['-x', '-C', folder], { input: archive.stdout });
  if (unpacked.status !== 0) throw new Error(`The source of ${BEFORE} could not be unpacked. ${unpacked.stderr}`);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

test.skipIf(!hasIt)(
  `an upgrade: records of the version before are read, finished and booked, to the token${why}`,
  { timeout: 90_000 },
  async () => {
    const { producer, prefix, redisUrl, simulator, simulatorLedger, startWorker } = await startHarness({
      workers: 0,
      // That version knew of one lane.
      env: { ...settings, HEADSTONE_LANES: '1' },
    });
    const maker = fileURLToPath(new URL('../support/records-of-before.ts', import.meta.url));
    const wish = { redisUrl, prefix, upstreamUrl: simulator.url, settings };
    const made = await runFile(maker, [sourceOfBefore(), JSON.stringify(wish)], { quiet: true });
    expect(made.output).toMatch(/^\{"completed"/);
    const ids = JSON.parse(made.output) as Record<string, string>;
    const job = async (name: string) => (await producer.get(ids[name] ?? '')) as Job;

    expect((await producer.list()).map(({ id }) => id)).toEqual(Object.values(ids).reverse());
    expect((await producer.list({ tenant: 'harbour', tag: 'nightly' })).length).toBe(4);
    const statuses = await Promise.all(Object.keys(ids).map(async name => [name, (await job(name)).status]));
    expect(Object.fromEntries(statuses)).toEqual({
      completed: 'completed',
      wasted: 'cancelled',
      watched: 'cancelled',
      running: 'running',
      launching: 'launching',
      queued: 'queued',
      cancelled: 'cancelled',
    });
    const steps = ['enqueued', 'launching', 'launch_acknowledged', 'completed'];
    expect((await job('completed')).timeline.map(({ event }) => event)).toEqual(steps);
    expect((await job('completed')).response).toMatchObject({ status: 'completed' });
    expect(await job('queued')).toMatchObject({ attempts: 2, tags: ['nightly', 'report'], unreadable: [] });
    const before = (await producer.waste({ groupBy: 'tag' })).totals;
    expect(before).toMatchObject({ responses: 2, pending: 1, used_responses: 1 });

    await startWorker();
    await producer.pauseLaunch(false);
    for (const name of ['running', 'queued']) await producer.wait(ids[name] ?? '', { timeoutMs: 30_000 });
    expect((await producer.wait(ids.launching ?? '', { timeoutMs: 30_000 })).status).toBe('failed');
    await expect
      .poll(async () => (await producer.ledger()).every(({ status }) => status === 'final'), { timeout: 30_000 })
      .toBe(true);

    const rows = await producer.ledger();
    const jobs = await Promise.all(Object.keys(ids).map(job));
    expect(audit({ jobs, rows, simulator: await simulatorLedger() })).toEqual([]);
    expect(jobs.flatMap(({ unreadable }) => unreadable)).toEqual([]);
    for (const one of jobs.filter(({ status }) => status === 'completed'))
      expect(one.timeline.map(({ event }) => event)).toEqual(steps);
    const tokens = (kind: string) =>
      rows.filter(row => row.kind === kind).reduce((sum, row) => sum + (row.usage?.total_tokens ?? 0), 0);
    for (const groupBy of ['model', 'tag', 'cause'] as const)
      expect((await producer.waste({ groupBy })).totals, groupBy).toMatchObject({
        responses: 2,
        pending: 0,
        total_tokens: tokens('wasted'),
        used_responses: 3,
        used_total_tokens: tokens('used'),
      });
    const byTag = (await producer.waste({ groupBy: 'tag' })).data.find(({ key }) => key === 'nightly');
    expect(byTag).toMatchObject({ responses: 1, used_responses: 3, used_total_tokens: tokens('used') });

    // Its deployment can be given more lanes, and its jobs are found where they are.
    await producer.store.raiseLanes(3);
    const later = await producer.enqueue(scripted());
    const listed = (await producer.list()).map(({ id }) => id);
    expect(listed).toEqual([later.id, ...Object.values(ids).reverse()]);
    for (const name of Object.keys(ids)) expect((await job(name)).id).toBe(ids[name]);
  },
);
