// A provider as a process: each create is answered at once. A response of the model `endless` stays in progress; any other is
// completed at its first read. GET /heard tells when each cancel arrived, GET /reads how many reads there were.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { epochMs } from './clock.ts';

const text = 'A short report on the tides. '.repeat(20);

function body(id: string, status: 'queued' | 'in_progress' | 'cancelled' | 'completed'): string {
  const isDone = status === 'completed';
  return JSON.stringify({
    id,
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    status,
    background: true,
    model: 'gpt-5.5',
    output: isDone
      ? [
          {
            id: `msg_${id}`,
            type: 'message',
            role: 'assistant',
            status,
            content: [{ type: 'output_text', text, annotations: [] }],
          },
        ]
      : [],
    usage: isDone
      ? {
          input_tokens: 20,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: 140,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: 160,
        }
      : null,
  });
}

const heard = new Map<string, number>();
let reads = 0;

function answer(method: string, path: string, sent: string): string {
  const [, , , id = '', action] = path.split('?')[0]?.split('/') ?? [];
  if (method === 'GET' && path === '/v1/heard') return JSON.stringify(Object.fromEntries(heard));
  if (method === 'GET' && path === '/v1/reads') return JSON.stringify(reads);
  if (method === 'POST' && action === 'cancel') {
    if (!heard.has(id)) heard.set(id, epochMs());
    return body(id, 'cancelled');
  }
  if (method === 'POST') {
    const kind = sent.includes('"endless"') ? 'endless' : 'instant';
    return body(`resp_${kind}_${randomUUID().replaceAll('-', '')}`, 'queued');
  }
  reads += 1;
  return body(id, id.startsWith('resp_endless') ? 'in_progress' : 'completed');
}

const server = createServer((request, response) => {
  let sent = '';
  request.on('data', chunk => {
    sent += chunk;
  });
  request.on('end', () => {
    const json = answer(request.method ?? 'GET', request.url ?? '/', sent);
    response.writeHead(200, { 'content-type': 'application/json' }).end(json);
  });
}).listen(0, '127.0.0.1', () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
});
