import { expect, onTestFinished, test } from 'vitest';
import { hasBrowser, openPage, startBrowser } from '../support/browser.ts';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted } from '../support/harness.ts';

const key = 'key-of-root-0123456789a';
const apiKeys = [{ name: 'root', key, tenant: 'harbour', admin: true }];
const PATH = '/ops/headstone';
const authorization = `Bearer ${key}`;

/** The targets of all links, pictures, scripts and forms of a page. */
const linksOf = (page: string) =>
  [...page.matchAll(/\b(?:href|src|action|data-stream)="([^"]*)"/g)].map(([, link]) => link ?? '');

const startHouse = (env: Record<string, string>) => startFrontDoor({ workers: 1, apiKeys, env });

test.for([
  ['HEADSTONE_BASE_PATH', { HEADSTONE_BASE_PATH: PATH }, {}, PATH],
  [
    'x-forwarded-prefix of a trusted proxy',
    { HEADSTONE_TRUSTED_PROXIES: '127.0.0.1' },
    { 'x-forwarded-prefix': `${PATH}/`, 'x-forwarded-for': '10.0.0.9' },
    '',
  ],
] as const)('under a path by %s every page leads to pages that are there', async ([, env, headers, asked]) => {
  const { server, clientOf } = await startHouse(env);
  const { id } = await clientOf(key)
    .withOptions({ baseURL: `${server.url}${asked}/v1` })
    .responses.create({
      ...scripted(),
      background: true,
    });
  const get = (path: string) =>
    fetch(`${server.url}${asked}${path}`, {
      headers: { authorization, accept: 'text/html', ...headers },
      redirect: 'manual',
    });
  for (const path of ['/jobs', `/jobs/${id}`, '/waste', '/cancellations/new', '/board/', '/docs/', '/sign-in']) {
    const answer = await get(path);
    expect(answer.status, path).toBe(200);
    const at = new URL(`${PATH}${path}`, 'http://site.example');
    const page = await answer.text();
    const base = page.match(/<base href="([^"]*)"/)?.[1];
    const links = linksOf(page).filter(link => link !== base && !link.startsWith('#') && !link.startsWith('data:'));
    expect(links.length, path).toBeGreaterThan(0);
    for (const link of links) {
      const { origin, pathname, search } = new URL(link, base === undefined ? at : new URL(base, at));
      // A page may link to other sites, but every link to this server begins with the path.
      if (origin !== at.origin) continue;
      expect(pathname, `${link} on ${path}`).toMatch(/^\/ops\/headstone\//);
      // Forms are posted, so a GET is refused.
      if (page.includes(`action="${link}"`)) continue;
      const { status } = await get(`${pathname.slice(PATH.length)}${search}`);
      expect(status, `${link} on ${path}`).toBeLessThan(400);
    }
  }
  const signedOut = await fetch(`${server.url}${asked}/waste?by=cause`, {
    headers: { accept: 'text/html', ...headers },
    redirect: 'manual',
  });
  expect(signedOut.headers.get('location')).toBe(`${PATH}/sign-in?next=%2Fwaste%3Fby%3Dcause`);
  const signedIn = await fetch(`${server.url}${asked}/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams({ key, next: '/waste?by=cause' }),
    redirect: 'manual',
  });
  expect(signedIn.headers.get('location')).toBe(`${PATH}/waste?by=cause`);
  expect(signedIn.headers.get('set-cookie')).toContain(`Path=${PATH};`);
});

test('x-forwarded-prefix is believed of no stranger, and never where it is no path', async () => {
  const { server } = await startHouse({ HEADSTONE_TRUSTED_PROXIES: '10.0.0.0/8' });
  const page = (headers: Record<string, string>) =>
    fetch(`${server.url}/jobs`, { headers: { authorization, accept: 'text/html', ...headers } }).then(it => it.text());
  expect(await page({ 'x-forwarded-prefix': '/evil', 'x-forwarded-for': '10.0.0.9' })).not.toContain('/evil');
  const trusting = await startHouse({ HEADSTONE_TRUSTED_PROXIES: '127.0.0.1' });
  for (const prefix of ['//evil.example', 'https://evil.example', '/a"onload=', '/../..']) {
    const answer = await fetch(`${trusting.server.url}/jobs`, {
      headers: { authorization, accept: 'text/html', 'x-forwarded-prefix': prefix, 'x-forwarded-for': '10.0.0.9' },
    });
    expect(linksOf(await answer.text()), prefix).toContain('/jobs');
  }
});

test.for([
  ['https', true],
  ['https, http', true],
  ['https,http', true],
  ['http, https', false],
  ['http', false],
] as const)('of x-forwarded-proto: %s the browser’s own is the first', async ([proto, isSecure]) => {
  const { server } = await startHouse({});
  const answer = await fetch(`${server.url}/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-proto': proto },
    body: new URLSearchParams({ key }),
    redirect: 'manual',
  });
  expect(answer.status).toBe(303);
  expect(answer.headers.get('set-cookie')?.includes('Secure')).toBe(isSecure);
});

test.skipIf(!hasBrowser)('in a browser, under a path: sign-in, a job, the board and the description', async () => {
  const { server, clientOf } = await startHouse({ HEADSTONE_BASE_PATH: PATH });
  const { id } = await clientOf(key)
    .withOptions({ baseURL: `${server.url}${PATH}/v1` })
    .responses.create({ ...scripted(), background: true });
  const browser = await startBrowser();
  onTestFinished(() => browser.close());
  const { page, complaints } = await openPage(browser, server.url);
  await page.goto(`${PATH}/jobs/${id}`);
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`**${PATH}/jobs/${id}`);
  await page.getByRole('link', { name: 'Waste' }).click();
  await page.waitForURL(`**${PATH}/waste*`);
  await page.getByRole('link', { name: 'Board' }).click();
  await page.waitForURL(`**${PATH}/board*`);
  await page.getByText('1 Launch').first().waitFor();
  await page.goto(`${PATH}/docs`);
  await page.getByText('/v1/responses').first().waitFor();
  expect(complaints).toEqual([]);
});
