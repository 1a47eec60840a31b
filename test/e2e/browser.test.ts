import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type System, startSystem } from '../../src/cli/processes/system.ts';
import { createProducer } from '../../src/producer/create-producer.ts';
import type { Producer } from '../../src/producer/producer.ts';
import { runFile } from '../../tools/run-file.ts';
import { hasBrowser, openPage, startBrowser } from '../support/browser.ts';
import { scripted } from '../support/harness.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const keys = { alice: 'key-of-alice-0123456789', root: 'key-of-root-0123456789a' };
const prefix = `{browser-${randomUUID().slice(0, 8)}}`;
const env = {
  HEADSTONE_PREFIX: prefix,
  HEADSTONE_POLL_MIN_MS: '200',
  HEADSTONE_POLL_MAX_MS: '500',
  HEADSTONE_SETTLE_FIRST_MS: '400',
  HEADSTONE_API_KEYS: JSON.stringify([
    { name: 'alice', key: keys.alice, tenant: 'harbour' },
    { name: 'root', key: keys.root, tenant: 'harbour', admin: true },
  ]),
};

let browser: Browser;
let system: System;
let producer: Producer;
let origin = '';

/** The session of most tests. */
async function signedIn(key = keys.root, options = {}) {
  const watched = await openPage(browser, origin, options);
  await watched.page.goto('/sign-in');
  await watched.page.getByLabel('API key').fill(key);
  await watched.page.getByRole('button', { name: 'Sign in' }).click();
  await watched.page.waitForURL(url => url.pathname === '/');
  return watched;
}

async function enqueueByCli(prompt: string, ...flags: string[]): Promise<string> {
  const { code, output } = await runFile(main, ['enqueue', prompt, ...flags], {
    quiet: true,
    env: { ...env, REDIS_URL: system.redisUrl },
  });
  expect(code).toBe(0);
  return output.trim();
}

const bodyOf = (page: Page) => page.locator('main').innerText();

describe.skipIf(!hasBrowser)('in a browser', () => {
  beforeAll(async () => {
    browser = await startBrowser();
    system = await startSystem({
      redisUrl: undefined,
      storePort: 0,
      simulatorPort: 0,
      simulate: true,
      workers: 1,
      serverPort: 0,
      env,
      onLine: () => {},
    });
    origin = system.serverUrl ?? '';
    producer = createProducer({ connection: system.redisUrl, prefix });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await producer?.close();
    await system?.stop();
  });

  test('I12: sign-in is asked for, refused and granted; it ends with the sign-out', async () => {
    const { page, context } = await openPage(browser, origin);
    await page.goto('/waste?by=cause');
    expect(new URL(page.url()).pathname).toBe('/sign-in');
    await page.getByLabel('API key').fill('a wrong key');
    await page.keyboard.press('Enter');
    expect(await page.getByRole('alert').innerText()).toContain('is not valid on this server');
    await page.getByLabel('API key').fill(keys.alice);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/waste?by=cause');
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
    expect(JSON.stringify(cookie)).not.toContain(keys.alice);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL('**/sign-in');
    // The old cookie is no longer valid.
    await context.addCookies([{ ...(cookie as NonNullable<typeof cookie>) }]);
    await page.goto('/jobs');
    expect(new URL(page.url()).pathname).toBe('/sign-in');
    await context.close();
  });

  test('I1: a job is watched, cancelled with a reason, flips, and is booked as waste, all without a reload', async () => {
    const { page, complaints, context } = await signedIn();
    const id = await enqueueByCli('Write a report on tides', '--tenant', 'harbour');
    await page.goto(`/jobs/${id}`);
    const status = page.locator('#status');
    await expect.poll(() => status.innerText(), { timeout: 10_000 }).toBe('running');
    await page.getByLabel('Reason').fill('wrong prompt');
    await page.keyboard.press('Enter');
    // One question, and nothing has happened yet.
    await expect.poll(() => bodyOf(page)).toContain('This cannot be undone.');
    expect((await producer.get(id))?.status).toBe('running');
    await page.keyboard.press('Enter');
    await expect.poll(() => bodyOf(page)).toContain('No result of this job will ever be shown');
    expect(await status.innerText()).toBe('cancelled');
    expect(await page.locator('#cancel').count()).toBe(0);
    await expect.poll(() => bodyOf(page), { timeout: 20_000 }).toContain('tokens wasted');
    const text = await bodyOf(page);
    for (const part of [
      'Enqueued.',
      'The provider accepted the launch as',
      'Cancelled by root: “wrong prompt” (key root)',
      'accepted the cancel and answered cancelled',
      'The provider finished the response all the same (completed). The late result was dropped.',
      'This job has no result, and will never have one.',
    ])
      expect(text).toContain(part);
    const [row] = (await producer.get(id))?.ledger ?? [];
    await page.goto('/waste?by=actor');
    expect(await bodyOf(page)).toContain(`${row?.usage?.total_tokens.toLocaleString('en-US')} tokens`);
    await expect.poll(() => page.getByRole('region', { name: /by actor/ }).innerText()).toContain('root');
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('I1: a stream’s text appears as it comes, and is gone with the cancel', async () => {
    const { page, complaints, context } = await signedIn();
    const wish = { ...scripted({ duration_ms: 8000, deltas: 40 }, 'the tides of Fundy'), stream: true };
    const { id } = await producer.enqueue(wish, { tenant: 'harbour' });
    await page.goto(`/jobs/${id}`);
    const text = page.locator('#text');
    await expect.poll(() => text.innerText(), { timeout: 10_000 }).toContain('Here is');
    const before = (await text.innerText()).length;
    await expect.poll(async () => (await text.innerText()).length).toBeGreaterThan(before);
    await producer.cancel(id);
    await expect.poll(() => text.isVisible()).toBe(false);
    expect(await page.content()).not.toContain('Here is');
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('I1: many are selected, the dry run’s figures are confirmed, and the progress is seen', async () => {
    const { page, complaints, context } = await signedIn();
    const stuck = { request: scripted({ stuck: true }), options: { tenant: 'harbour', tags: ['many'] } };
    const ids = (await producer.enqueueMany([stuck, stuck, stuck])).map(({ id }) => id);
    await page.goto('/jobs?tag=many');
    await page.getByRole('button', { name: 'Cancel the selected' }).click();
    expect(await bodyOf(page)).toContain('No job was selected');
    await page.goto('/jobs?tag=many');
    await page.getByLabel('Select every open job on this page').check();
    await page.getByLabel(`Select ${ids[0]}`).uncheck();
    await page.getByRole('button', { name: 'Cancel the selected' }).click();
    expect(await bodyOf(page)).toMatch(
      /Cancel 2 jobs\?[\s\S]*Cost if left alone\s+about [\d,]+ tokens, \$[\s\S]*This is an estimate/,
    );
    await page.getByLabel('Reason').fill('batch withdrawn');
    await page.getByRole('button', { name: 'Cancel 2 jobs' }).click();
    await expect.poll(() => page.locator('#headline').innerText()).toBe('Cancelled: 2 of 2');
    for (const id of ids.slice(1))
      expect((await producer.get(id))?.tombstone).toMatchObject({ reason: 'batch withdrawn', key_name: 'root' });
    expect((await producer.get(ids[0] ?? ''))?.outcome).toBeNull();
    await page.goto('/jobs?tag=many&status=cancelled');
    expect(await page.locator('tbody tr').count()).toBe(2);
    await page.goto('/jobs?tag=many');
    await page.getByRole('link', { name: /^Cancel all.* open jobs? of this filter/ }).click();
    await page.getByRole('button', { name: 'Cancel 1 job' }).click();
    await expect.poll(() => page.locator('#headline').innerText()).toBe('Cancelled: 1 of 1');
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('what a job brings is shown and never run: markup in prompt, model, tenant, tag, reason and actor', async () => {
    const evil = '<img src=x onerror=alert(1)><script>alert(2)</script>';
    const { page, complaints, context } = await signedIn();
    const wish = { ...scripted({ stuck: true }, `${evil} prompt`), model: `m${evil}` };
    const { id } = await producer.enqueue(wish, {
      tenant: '<b onclick=alert(3)>t',
      tags: ['</script><script>alert(4)'],
    });
    await producer.cancel(id, { reason: `${evil} reason`, actor: `${evil} actor` });
    for (const path of [
      `/jobs/${id}`,
      '/jobs',
      '/waste?by=actor',
      '/waste?by=model',
      '/waste?by=tag',
      '/waste?by=tenant',
    ]) {
      await page.goto(path);
      await page.waitForLoadState('networkidle');
      expect(await page.locator('main img, main script:not([type="application/json"]), main b[onclick]').count()).toBe(
        0,
      );
    }
    await page.goto(`/jobs/${id}`);
    await page.getByText('Raw record').click();
    const text = await bodyOf(page);
    for (const part of [`${evil} prompt`, `${evil} reason`, `${evil} actor`, '<b onclick=alert(3)>t'])
      expect(text).toContain(part.replaceAll('"', '\\"'));
    await page.goto('/board/queue/launch');
    await expect.poll(() => page.locator('body').innerText()).toContain('alert(3)');
    await page.goto(`/jobs?tag=${encodeURIComponent('"><script>alert(5)</script>')}`);
    expect(await bodyOf(page)).toContain('No job matches');
    expect(complaints).toEqual([]);
    await context.close();
  });

  test.for([1440, 1280, 390])(
    'readable at %i pixels, light and dark, on every page, with nothing that axe finds',
    {
      timeout: 120_000,
    },
    async width => {
      const { page, complaints, context } = await signedIn(keys.root, { viewport: { width, height: 900 } });
      const [job] = await producer.list({ status: 'cancelled', limit: 1 });
      const [bulk] = await producer.cancellations.list();
      const running = await producer.enqueue(scripted({ stuck: true }, 'About axes'), { tenant: 'harbour' });
      for (const path of [
        '/',
        '/jobs',
        '/jobs?search=nobody',
        `/jobs/${job?.id}`,
        `/jobs/${running.id}`,
        `/jobs/${running.id}/cancel`,
        '/waste',
        '/waste?tenant=nobody',
        '/waste/responses?kind=wasted',
        '/cancellations',
        `/cancellations/${bulk?.id}`,
        '/cancellations/new?tag=nobody',
        '/docs',
        '/nowhere',
      ]) {
        await page.goto(path);
        expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), path).toBe(true);
        expect(Buffer.byteLength(await page.content()), path).toBeLessThan(150_000);
        // Injected by the debugging protocol, because the page's content policy refuses a foreign script tag.
        await page.evaluate(axe);
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          const found = await page.evaluate<string[]>(
            'axe.run().then(({ violations }) => violations.map(one => one.id + ": " + one.nodes[0].html))',
          );
          expect(found, `${path}, ${colorScheme}`).toEqual([]);
        }
      }
      await producer.cancel(running.id);
      expect(complaints).toEqual([]);
      await context.close();
    },
  );

  test('the waste page draws its figures, in the colours of the scheme', async () => {
    const { page, complaints, context } = await signedIn();
    await page.goto('/waste?by=cause');
    const drawn = () =>
      page.evaluate<number[]>(
        `[...document.querySelectorAll('canvas')].map(canvas => {
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          return data.filter(value => value !== 0).length;
        })`,
      );
    await expect.poll(drawn).toHaveLength(4);
    for (const pixels of await drawn()) expect(pixels).toBeGreaterThan(100);
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('the board: four queues, an entry that leads to its job, buttons for admins alone', async () => {
    const { page, complaints, context } = await signedIn();
    await page.goto('/board/');
    for (const name of ['1 Launch', '2 Poll', '3 Settle', '4 Callback'])
      await expect.poll(() => page.getByText(name).first().isVisible()).toBe(true);
    await page.goto('/board/queue/launch');
    await page.getByRole('link', { name: 'Job page' }).first().click();
    await expect
      .poll(() => context.pages().map(one => new URL(one.url()).pathname))
      .toContainEqual(expect.stringMatching(/^\/jobs\/./));
    const alice = await signedIn(keys.alice);
    await alice.page.goto('/board/queue/launch');
    // Other tenants have jobs here, so Alice is sent to her own jobs.
    expect(await bodyOf(alice.page)).toContain('Your own jobs are at /jobs');
    expect([...complaints, ...alice.complaints]).toEqual([]);
    await Promise.all([context.close(), alice.context.close()]);
  });

  test('the API’s description opens', async () => {
    const { page, complaints, context } = await signedIn();
    await page.goto('/docs');
    await expect.poll(() => page.locator('body').innerText()).toContain('Enqueue a background response');
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('by keyboard: the search, the next job, a selection, a cancel, and the list of keys', async () => {
    const { page, complaints, context } = await signedIn();
    const stuck = { request: scripted({ stuck: true }, 'By keyboard'), options: { tenant: 'harbour', tags: ['keys'] } };
    await producer.enqueueMany([stuck, stuck, stuck]);
    await page.goto('/jobs?tag=keys');
    await page.waitForLoadState('networkidle');
    await page.keyboard.press('/');
    expect(await page.evaluate('document.activeElement.id')).toBe('search');
    await page.keyboard.type('jxc');
    expect(await page.inputValue('#search')).toBe('jxc');
    await page.evaluate('document.activeElement.blur()');
    for (const key of ['j', 'x', 'j', 'x']) await page.keyboard.press(key);
    expect(await page.locator('#selected').innerText()).toBe('2 selected');
    await page.keyboard.press('?');
    expect(await page.getByRole('dialog').innerText()).toContain('Next job');
    await page.keyboard.press('Escape');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.keyboard.press('c');
    await expect.poll(() => bodyOf(page)).toContain('Cancel 2 jobs?');
    expect(await bodyOf(page)).toMatch(/Selection\s+2 selected jobs[\s\S]*Status now[\s\S]*Would be saved/);
    // From another page, the search opens with the list.
    await page.goto('/waste');
    await page.waitForLoadState('networkidle');
    await page.keyboard.press('/');
    await page.waitForURL(url => url.pathname === '/jobs');
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('search');
    // From the top of the page the first action is at most ten tabs away.
    await page.goto('/jobs');
    let tabs = 0;
    do {
      await page.keyboard.press('Tab');
      tabs += 1;
    } while (tabs < 11 && (await page.evaluate('document.activeElement.id')) !== 'search');
    expect(tabs).toBeLessThanOrEqual(10);
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('a page that cannot be refreshed says since when, and why, until it is', async () => {
    const { page, context } = await signedIn();
    await page.goto('/jobs');
    const stale = page.locator('#stale');
    await page.route('**/jobs', route => route.abort());
    await expect
      .poll(() => stale.innerText(), { timeout: 15_000 })
      .toMatch(/^This page shows the state of \d\d:\d\d:\d\d UTC\. The server does not answer\.$/);
    await page.unroute('**/jobs');
    const away = '<main id="main"><h1>Not available now</h1><p>The store is not answering.</p></main>';
    await page.route('**/jobs', route => route.fulfill({ status: 503, contentType: 'text/html', body: away }));
    await expect.poll(() => stale.innerText(), { timeout: 15_000 }).toMatch(/UTC\. The store is not answering\.$/);
    await page.unroute('**/jobs');
    await expect.poll(() => stale.innerText(), { timeout: 15_000 }).toBe('');
    await context.close();
  });

  test('a refresh keeps the focus, the selection and the scroll', async () => {
    const { page, complaints, context } = await signedIn(keys.root, { viewport: { width: 800, height: 700 } });
    const stuck = { request: scripted({ stuck: true }, 'Stays'), options: { tenant: 'harbour', tags: ['stays'] } };
    const [first] = await producer.enqueueMany([stuck, stuck]);
    await page.goto('/jobs?tag=stays');
    await page.getByLabel(`Select ${first?.id}`).check();
    await page.evaluate("document.querySelector('.scroll').scrollLeft = 120");
    const third = await producer.enqueue(stuck.request, stuck.options);
    await expect.poll(() => page.locator('tbody tr').count(), { timeout: 10_000 }).toBe(3);
    await producer.cancel(third.id);
    await expect.poll(() => page.locator('tbody').innerText(), { timeout: 10_000 }).toContain('cancelled');
    expect(await page.getByLabel(`Select ${first?.id}`).isChecked()).toBe(true);
    expect(await page.evaluate('document.activeElement.name')).toBe('ids');
    expect(await page.evaluate("document.querySelector('.scroll').scrollLeft")).toBe(120);
    expect(await page.locator('#selected').innerText()).toBe('1 selected');
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('a refresh that changes nothing on the screen moves nothing', async () => {
    const { page, complaints, context } = await signedIn();
    const { id } = await producer.enqueue(scripted({ stuck: true }, 'Is quiet'), { tenant: 'harbour' });
    await expect.poll(async () => (await producer.get(id))?.status).toBe('running');
    await page.goto(`/jobs/${id}`);
    await page.waitForLoadState('networkidle');
    await page.evaluate(`window.shifts = 0; window.refreshes = 0;
      document.addEventListener('headstone:refreshed', () => { window.refreshes += 1; });
      new PerformanceObserver(list => { window.shifts += list.getEntries().length; }).observe({ type: 'layout-shift' });`);
    await expect.poll(() => page.evaluate<number>('window.refreshes'), { timeout: 15_000 }).toBeGreaterThan(2);
    expect(await page.evaluate('window.shifts')).toBe(0);
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('a job runs again after one question, which says what the last one cost', async () => {
    const { page, complaints, context } = await signedIn();
    const { id } = await producer.enqueue(scripted({ output_tokens: 90 }, 'Once more'), { tenant: 'harbour' });
    await producer.wait(id);
    await page.goto(`/jobs/${id}`);
    await page.getByRole('link', { name: 'Run again' }).click();
    expect(await bodyOf(page)).toMatch(/This job: Completed in .* tokens, \$/);
    await page.getByRole('button', { name: 'Run it again' }).click();
    await page.waitForURL(url => /^\/jobs\/resp_\w+$/.test(url.pathname) && !url.pathname.includes(id));
    const again = new URL(page.url()).pathname.split('/').at(-1) ?? '';
    expect(await producer.request(again)).toEqual(await producer.request(id));
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('who may not see the board is not offered it, and is told who may', async () => {
    const { page, context } = await signedIn(keys.alice);
    await page.goto('/jobs');
    expect(await page.getByRole('link', { name: 'Board' }).count()).toBe(0);
    await page.goto('/cancellations');
    expect(await bodyOf(page)).toContain('You are signed in with the key alice, for the tenant harbour.');
    await context.close();
  });

  test('a page for a person who went wrong says so, and nothing that only a program understands', async () => {
    const { page } = await signedIn();
    await page.goto('/jobs/resp_nobody');
    expect((await bodyOf(page)).split('\n').filter(Boolean)).toEqual([
      'Not found',
      expect.stringContaining('resp_nobody'),
      'All jobs',
    ]);
    await page.goto('/jobs?status=completed');
    expect(await page.getByRole('button', { name: /^Cancel/ }).count()).toBe(0);
  });
});
