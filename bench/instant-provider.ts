// A provider as a process: each create is answered at once, and each response is completed at its first read.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const text = 'A short report on the tides. '.repeat(20);

function body(id: string, status: 'queued' | 'completed'): string {
  const isDone = status === 'completed';
  return JSON.stringify({
    id,
    object: 'response',
    created_at: 1_780_000_000,
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

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    const id =
      request.method === 'POST' ? `resp_${randomUUID().replaceAll('-', '')}` : (request.url ?? '').split('/').at(-1);
    const answer = body(id?.split('?')[0] ?? '', request.method === 'POST' ? 'queued' : 'completed');
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
  });
}).listen(0, '127.0.0.1', () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
});
