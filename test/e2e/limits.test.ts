import { request } from 'node:http';
import { expect, test } from 'vitest';
import { startFrontDoor } from '../support/front-door.ts';

const post = (url: string, body: string) =>
  fetch(`${url}/v1/responses`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });

test('a body too deep, a body too large and headers too large are refused in a sentence', async () => {
  const { server } = await startFrontDoor({ workers: 0 });
  const deep = await post(server.url, `{"model":"m","background":true,"input":${'['.repeat(500)}${']'.repeat(500)}}`);
  expect(deep.status).toBe(400);
  expect(await deep.json()).toMatchObject({ error: { message: expect.stringContaining('deeper than 100') } });
  const brackets = await post(server.url, JSON.stringify({ model: 'm', background: true, input: '['.repeat(500) }));
  expect(brackets.status).toBe(200);
  const large = await post(server.url, JSON.stringify({ model: 'm', background: true, input: 'x'.repeat(2_000_000) }));
  expect(large.status).toBe(413);
  expect(await large.json()).toMatchObject({
    error: { message: expect.stringContaining('HEADSTONE_MAX_REQUEST_BYTES') },
  });
  expect(await statusWithHeader(server.url, 'x'.repeat(20_000))).toBe(431);
});

test('every answer has headers that keep pages from misusing it, and an id to ask about', async () => {
  const { server } = await startFrontDoor({ workers: 0 });
  for (const path of ['/v1/jobs', '/docs/json', '/nowhere', '/readyz']) {
    const { headers } = await fetch(`${server.url}${path}`);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
    expect(headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/);
  }
});

test('/docs describes every route that is served, and each error', async () => {
  const { server } = await startFrontDoor({ workers: 0 });
  const document = (await (await fetch(`${server.url}/docs/json`)).json()) as {
    paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
  };
  expect(Object.keys(document.paths)).toEqual(
    expect.arrayContaining(['/v1/responses', '/v1/responses/{id}/cancel', '/v1/jobs/{id}', '/v1/waste', '/v1/ledger']),
  );
  expect(document.paths['/v1/responses']?.post?.responses).toHaveProperty('4XX');
  expect(JSON.stringify(document.paths['/v1/responses']?.post)).toContain('previous_response_id');
  expect((await fetch(`${server.url}/docs/`)).headers.get('content-type')).toContain('text/html');
});

async function statusWithHeader(url: string, value: string): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    request(`${url}/readyz`, { headers: { 'x-large': value } }, answer => resolve(answer.statusCode))
      .on('error', reject)
      .end();
  });
}
