import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A message to a job's callback, as it came. */
export interface Heard {
  headers: Record<string, string>;
  body: string;
  event: { type: string; data: Record<string, unknown> };
}

export interface Receiver {
  heard: Heard[];
  host: string;
  url: string;
  close(): void;
}

/** An app's endpoint for callbacks. It answers with these statuses in turn, and 204 after them. */
export async function startReceiver(...statuses: number[]): Promise<Receiver> {
  const heard: Heard[] = [];
  const server = createServer((request, answer) => {
    let body = '';
    request.on('data', chunk => {
      body += chunk;
    });
    request.on('end', () => {
      heard.push({ headers: request.headers as Record<string, string>, body, event: JSON.parse(body || '{}') });
      answer.writeHead(statuses.shift() ?? 204, { location: '/elsewhere' }).end();
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { heard, host, url: `http://${host}/hook`, close };
}
