import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ApiConnection } from '../../src/cli/client/api-connection.ts';

/** A server whose POSTs to /v1/old are redirected to /v1/new, which answers 200. */
async function startMovedServer(): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url === '/v1/old') response.writeHead(308, { location: '/v1/new' }).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{"method":"ok"}');
  }).listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

test('a provider’s redirect is followed, as a worker would follow it, and a Headstone server’s is not', async () => {
  const url = await startMovedServer();
  const post = (isProvider: boolean) =>
    new ApiConnection({ url, apiKey: 'any', retries: 0, isProvider }).post('/old', { input: 'x' });
  expect(await post(true)).toEqual({ method: 'ok' });
  await expect(post(false)).rejects.toMatchObject({ status: 308 });
});
