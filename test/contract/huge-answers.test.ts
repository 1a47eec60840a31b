// Answers that would fill a worker's memory: 200 MB as they are, and as bombs of a megabyte or less.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliCompress, createDeflate, createGzip, constants as zlib } from 'node:zlib';
import { expect, test } from 'vitest';
import { startHarness } from '../support/harness.ts';
import { mostMemory } from '../support/memory.ts';
import { answer, startUpstream } from '../support/upstream.ts';

const MB = 1_000_000;
const HUGE_MB = 200;
const chunk = Buffer.alloc(MB, ' ');

/** The huge text in one of the ways to pack it. */
async function packed(packer: Transform): Promise<Buffer> {
  const pieces: Buffer[] = [];
  packer.on('data', (piece: Buffer) => pieces.push(piece));
  const ended = once(packer, 'end');
  for (let mb = 0; mb < HUGE_MB; mb += 1) if (!packer.write(chunk)) await once(packer, 'drain');
  packer.end();
  await ended;
  return Buffer.concat(pieces);
}

/** Writes the text until the other end has enough. Resolves to the megabytes that it took. */
async function flood(response: ServerResponse): Promise<number> {
  let taken = 0;
  function* chunks() {
    for (; taken < HUGE_MB; taken += 1) yield chunk;
  }
  // It is cut off, which is what this is about.
  await pipeline(chunks, response).catch(() => {});
  return taken;
}

const quick = { params: { [zlib.BROTLI_PARAM_QUALITY]: 1 } };
const packers: [name: string, encoding: string | undefined, packer: () => Transform | null][] = [
  ['as it is', undefined, () => null],
  ['as a gzip bomb', 'gzip', () => createGzip()],
  ['as a bomb of brotli', 'br', () => createBrotliCompress(quick)],
  ['as a bomb of deflate', 'deflate', () => createDeflate()],
];

test.for(packers)(
  'I4, I9: 200 MB %s, to a create, to a poll and with a 500, end in what is known of each',
  {
    timeout: 60_000,
  },
  async ([, encoding, packer]) => {
    const open = packer();
    const bomb = open && (await packed(open));
    const taken: number[] = [];
    const polled = new Map<string, number>();
    const huge = async (response: ServerResponse, status: number) => {
      const headers = encoding === undefined ? {} : { 'content-encoding': encoding };
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      if (bomb) response.end(bomb);
      else taken.push(await flood(response));
    };
    const upstreamUrl = await startUpstream(async (call, body, response) => {
      const id = /\/responses\/([\w-]+)/.exec(call.url ?? '')?.[1];
      if (id === undefined) {
        const { model } = JSON.parse(body) as { model: string };
        if (model === 'create') return await huge(response, 200);
        if (model === 'failing') return await huge(response, 500);
        return answer(response, 200, { id: `resp_${model}`, object: 'response', status: 'queued', model });
      }
      const times = (polled.get(id) ?? 0) + 1;
      polled.set(id, times);
      if (id === 'resp_poll' && times <= 2) return await huge(response, 200);
      const usage = { input_tokens: 1, output_tokens: 2, total_tokens: 3 };
      return answer(response, 200, { id, object: 'response', status: 'completed', model: 'm', output: [], usage });
    });
    const { producer } = await startHarness({ upstreamUrl });
    const grown = await mostMemory(async () => {
      const models = ['create', 'failing', 'poll', 'good'];
      const jobs = await producer.enqueueMany(models.map(model => ({ request: { model, input: 'x' } })));
      const ends = await Promise.all(jobs.map(({ id }) => producer.wait(id)));
      const unknown = { status: 'failed', error: { code: 'launch_unknown' } };
      const completed = { status: 'completed', response: { usage: { total_tokens: 3 } } };
      expect(ends).toMatchObject([unknown, unknown, completed, completed]);
    });
    // A body is left after 64 MB; here two are read at a time, and what was written is still in sockets.
    expect(Math.max(0, ...taken)).toBeLessThan(100);
    expect(grown).toBeLessThan(400);
    expect(polled.get('resp_poll')).toBe(3);
    expect((await producer.ledger()).map(row => row.usage?.total_tokens)).toEqual([3, 3]);
  },
);
