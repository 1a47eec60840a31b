// A page of another site that a signed-in person has open. The browser sends the cookie for whoever asks.
import { expect, test } from 'vitest';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted } from '../support/harness.ts';
import { rawLines } from '../support/raw-http.ts';

const key = 'key-of-root-0123456789a';
const apiKeys = [{ name: 'root', key, tenant: 'default', admin: true }];

async function startSignedIn() {
  const house = await startFrontDoor({ workers: 0, apiKeys });
  const body = new URLSearchParams({ key, next: '/jobs' });
  const signedIn = await fetch(`${house.server.url}/sign-in`, { method: 'POST', body, redirect: 'manual' });
  const [cookie = ''] = (signedIn.headers.get('set-cookie') ?? '').split(';');
  expect(cookie).toMatch(/^headstone_session=./);
  return { ...house, cookie };
}

/** Everything that changes something, as a page could send it. */
function wishes(id: string): [method: string, path: string, type: string, body: string][] {
  const form = 'application/x-www-form-urlencoded';
  const json = 'application/json';
  return [
    ['POST', `/jobs/${id}/cancel`, form, 'reason=x'],
    ['POST', `/jobs/${id}/again`, form, 'key=x'],
    ['POST', `/jobs/${id}/webhook/resend`, form, ''],
    ['POST', '/cancellations', form, 'tag=all'],
    ['POST', '/launch/pause', form, ''],
    ['POST', '/v1/launch/pause', json, '{}'],
    ['POST', '/v1/holds/release', json, '{"scope":"account"}'],
    ['POST', `/v1/responses/${id}/cancel`, json, '{}'],
    ['POST', '/v1/responses', json, '{"model":"m","input":"x","background":true}'],
    ['POST', '/v1/cancellations', json, '{"filter":{}}'],
    ['DELETE', `/v1/responses/${id}`, json, ''],
    ['PUT', '/board/api/queues/launch/pause', json, ''],
    ['PUT', '/board/api/queues/launch/clean/completed', json, ''],
  ];
}

test('a page of another site changes nothing with the cookie of a person who is signed in', async () => {
  const { server, producer, cookie } = await startSignedIn();
  const { id } = await producer.enqueue(scripted(), { tags: ['all'] });
  const { host, port } = new URL(server.url);
  const origins = [
    'https://evil.example',
    'null',
    // Another port is another site, and so is a name that only begins alike.
    `http://localhost:${Number(port) + 1}`,
    `http://${host}.evil.example`,
  ];
  for (const origin of origins)
    for (const [method, path, type, body] of wishes(id)) {
      const lines = [
        `${method} ${path} HTTP/1.1`,
        `Host: ${host}`,
        `Cookie: ${cookie}`,
        `Origin: ${origin}`,
        `Content-Type: ${type}`,
        `Content-Length: ${body.length}`,
        '',
        body,
      ];
      expect(await rawLines(server.url, lines), `${origin} ${method} ${path}`).toMatch(/^HTTP\/1.1 401 /);
    }
  expect(await producer.list()).toHaveLength(1);
  expect((await producer.get(id))?.status).toBe('queued');
  expect(await producer.depths()).toMatchObject({ launch_paused: false });
  // The same from a page of this server.
  const own = await fetch(`${server.url}/jobs/${id}/cancel`, {
    method: 'POST',
    headers: { cookie, origin: server.url, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'reason=x',
    redirect: 'manual',
  });
  expect(own.status).toBe(303);
  expect((await producer.get(id))?.status).toBe('cancelled');
});

test('what it may read with the cookie, the browser does not give it', async () => {
  const { server, cookie } = await startSignedIn();
  for (const path of ['/jobs', '/v1/jobs', '/v1/ledger', '/waste/sums.csv']) {
    const answer = await fetch(`${server.url}${path}`, { headers: { cookie, origin: 'https://evil.example' } });
    expect(answer.headers.get('access-control-allow-origin'), path).toBeNull();
    expect(answer.headers.get('cross-origin-resource-policy'), path).toBe('same-origin');
    expect(answer.headers.get('x-frame-options') ?? answer.headers.get('content-security-policy'), path).toMatch(
      /DENY|SAMEORIGIN|frame-ancestors/i,
    );
  }
  const preflight = await fetch(`${server.url}/v1/jobs`, {
    method: 'OPTIONS',
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
  });
  expect(preflight.headers.get('access-control-allow-methods')).toBeNull();
});

test('the cookie is kept from scripts and from other sites', async () => {
  const { server } = await startFrontDoor({ workers: 0, apiKeys });
  const body = new URLSearchParams({ key, next: '/jobs' });
  const { headers } = await fetch(`${server.url}/sign-in`, { method: 'POST', body, redirect: 'manual' });
  expect(headers.get('set-cookie')).toMatch(/HttpOnly/i);
  expect(headers.get('set-cookie')).toMatch(/SameSite=(Lax|Strict)/i);
});
