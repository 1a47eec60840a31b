import { expect, test } from 'vitest';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted } from '../support/harness.ts';
import { answer, startUpstream } from '../support/upstream.ts';

const read = async (url: string, accept = 'text/html') => {
  const answered = await fetch(url, { headers: { accept } });
  const text = await answered.text();
  return { status: answered.status, text, type: answered.headers.get('content-type') ?? '', main: textOf(text) };
};

/** The text of a page's content, with white space made single. */
function textOf(page: string): string {
  const [, main = ''] = /<main[^>]*>([\s\S]*)<\/main>/.exec(page) ?? [];
  return main
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

const unescaped = (text: string) =>
  text.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));

test('the list: what each job asks, tabs with counts, a search, a sort, and what narrows it', async () => {
  const { server, producer } = await startFrontDoor();
  const of = (input: string, tokens: number) => ({
    request: scripted({ output_tokens: tokens }, input),
    options: { tenant: 'harbour', tags: ['report', 'eu', 'night'] },
  });
  const jobs = await producer.enqueueMany([of('About tides', 9000), of('About eels', 10)]);
  for (const { id } of jobs) await producer.wait(id);
  const all = await read(`${server.url}/jobs`);
  for (const part of ['About tides', 'About eels', 'all 2', 'completed 2', 'failed 0', 'report +2'])
    expect(all.main).toContain(part);
  const found = await read(`${server.url}/jobs?search=TIDES&status=completed`);
  expect(found.main).toContain('About tides');
  expect(found.main).not.toContain('About eels');
  expect(found.main).toContain('search: TIDES ✕');
  const dearest = (await read(`${server.url}/jobs?sort=dearest`)).main;
  expect(dearest.indexOf('About tides')).toBeLessThan(dearest.indexOf('About eels'));
  expect(dearest).toContain('The most expensive 2 matches among the newest 2 jobs.');
  expect((await read(`${server.url}/jobs?search=nobody`)).main).toContain('No job matches.');
  expect((await read(`${server.url}/jobs?search=%22%3E%3Cscript%3E`)).text).not.toContain('"><script>');
});

test('an answer is shown as Markdown, and nothing in it runs, loads or leads to a script', async () => {
  const text = [
    '# Tides',
    '**bold** [safe](https://example.com) [evil](javascript:alert(1)) ![image](https://evil.example/x.png)',
    '<img src=x onerror=alert(2)><script>alert(3)</script>',
    '| a | b |\n|---|---|\n| 1 | 2 |',
  ].join('\n\n');
  const body = {
    id: 'resp_up',
    object: 'response',
    status: 'completed',
    model: 'gpt-5.5',
    output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text, annotations: [] }] }],
    usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
  };
  const upstreamUrl = await startUpstream((_request, _body, response) => answer(response, 200, body));
  const { server, producer } = await startFrontDoor({ upstreamUrl });
  const { id } = await producer.enqueue({ model: 'gpt-5.5', input: 'About tides' });
  await producer.wait(id);
  const page = (await read(`${server.url}/jobs/${id}`)).text;
  const [, prose = ''] = /<div class="prose"[^>]*>([\s\S]*?)<\/div>/.exec(page) ?? [];
  for (const part of ['<h1>Tides</h1>', '<strong>bold</strong>', 'href="https://example.com"', '<td>1</td>'])
    expect(prose).toContain(part);
  expect(prose).not.toMatch(/<img|<script|href="javascript/i);
  expect(prose).toContain('&lt;script&gt;');
});

test('a job’s page says first what became of it, and names no word of ours outside of its details', async () => {
  const { server, producer, happened } = await startFrontDoor();
  const { id } = await producer.enqueue(scripted({ duration_ms: 60_000, cancel: 'honour' }, 'About dunes'));
  await happened('launch_acknowledged');
  await producer.cancel(id, { actor: 'alice', reason: 'wrong prompt' });
  const { main, text } = await read(`${server.url}/jobs/${id}`);
  expect(main).toMatch(/About dunes Cancelled by alice \(“wrong prompt”\), .* after it was enqueued\./);
  expect(text).toContain('aria-label="queued');
  const [before = ''] = text.split('<details id="record">');
  expect(textOf(`${before}</main>`)).not.toMatch(/\b(intent|epoch|tombstone|held_by)\b/i);
});

test('the waste leads to the responses behind each sum, with estimates, and as CSV', async () => {
  const { server, producer, happened } = await startFrontDoor();
  const wish = scripted({ duration_ms: 500, flip_after_ms: 200, output_tokens: 90 }, 'Tides');
  const { id } = await producer.enqueue(wish, { tenant: 'harbour' });
  await happened('launch_acknowledged');
  await producer.cancel(id, { actor: 'alice', reason: 'wrong, "prompt"' });
  await happened('tokens_wasted');
  const sums = await read(`${server.url}/waste?by=reason`);
  const [, link = ''] = /href="(\/waste\/responses\?[^"]*&by=reason[^"]*)"/.exec(unescaped(sums.text)) ?? [];
  const rows = await read(`${server.url}${link}`);
  expect(rows.main).toContain('Wasted responses · reason wrong, &#34;prompt&#34;');
  expect(rows.text).toContain(`/jobs/${id}`);
  expect((await read(`${server.url}/waste/responses?by=reason&key=`)).main).toContain('(no reason given');
  const csv = await read(`${server.url}/waste/sums.csv?by=reason`);
  expect(csv.type).toContain('text/csv');
  expect(csv.text).toContain('"wrong, ""prompt""",1');
  expect((await read(`${server.url}/waste/responses?since=2026-11-20&until=2026-11-10`)).status).toBe(400);
});

test('what a bulk cancel saved and wasted is not known where it was not counted, and never nothing', async () => {
  const { server, producer, redis, prefixOf } = await startFrontDoor({ workers: 0 });
  const { id: job } = await producer.enqueue(scripted({}, 'Waits'), { tags: ['bulk'] });
  const { id } = await producer.cancellations.begin({ tag: 'bulk' });
  await producer.cancellations.run(id);
  expect((await read(`${server.url}/cancellations/${id}`)).main).toMatch(
    /Saved the cost of 1 job, which is not known Wasted nothing/,
  );
  // The version before counted nothing.
  for (const prefix of [await prefixOf(job), producer.store.home.keys.prefix])
    await redis.hdel(`${prefix}:cancellation:${id}`, 'counts_spared', 'spared:gpt-5.5');
  expect((await read(`${server.url}/cancellations/${id}`)).main).toMatch(/Saved not known Wasted not known/);
});

test('bulk cancels: who, when, which, what was saved and what was wasted, and exactly those jobs', async () => {
  const { server, producer, happened } = await startFrontDoor();
  const tags = ['bulk'];
  const { id: done } = await producer.enqueue(scripted({ output_tokens: 90 }, 'An average'));
  await producer.wait(done);
  const { id: running } = await producer.enqueue(
    scripted({ duration_ms: 600, flip_after_ms: 200, output_tokens: 90 }, 'Runs'),
    { tags },
  );
  await happened('launch_acknowledged', ({ job_id }) => job_id === running);
  await producer.pauseLaunch(true);
  const waits = [1, 2].map(n => ({ request: scripted({}, `Waits ${n}`), options: { tags } }));
  const waiting = await producer.enqueueMany(waits);
  const other = await producer.enqueue(scripted({}, 'Another'));
  const { id } = await producer.cancellations.begin({ tag: 'bulk' }, { actor: 'bob', reason: 'withdrawn' });
  await producer.cancellations.run(id);
  await producer.cancel(other.id);
  await happened('tokens_wasted', ({ job_id }) => job_id === running);
  const list = await read(`${server.url}/cancellations`);
  expect(list.main).toMatch(
    /done open jobs: tag bulk bob withdrawn 3 of 3 about \$[\d.e-]+, 2 jobs \$[\d.e-]+, 1 response/,
  );
  expect(await producer.cancellations.get(id)).toMatchObject({ cancelled: 3, spared_by_model: { 'gpt-5.5': 2 } });
  const jobs = (await read(`${server.url}/jobs?cancellation=${id}`)).text;
  for (const job of [running, ...waiting.map(one => one.id)]) expect(jobs).toContain(`/jobs/${job}`);
  expect(jobs).not.toContain(`/jobs/${other.id}`);
  const { data } = await producer.waste({ groupBy: 'cancellation' });
  expect(data).toMatchObject([{ key: id, responses: 1, pending: 0 }]);
  const row = (await producer.ledger()).find(one => one.job_id === running);
  expect(data[0]?.total_tokens).toBe(row?.usage?.total_tokens);
});

test('errors are pages for people, and JSON for programs', async () => {
  const { server } = await startFrontDoor({ workers: 0 });
  const paths = ['/nowhere', `/jobs/${'x'.repeat(5000)}`, '/jobs/%', '/jobs/nobody', '/cancellations/nobody'];
  for (const path of [...paths, '/jobs?limit=5']) {
    const page = await read(`${server.url}${path}`);
    expect(page.type, path).toContain('text/html');
    expect(page.status, path).toBe(path.includes('?') ? 400 : 404);
    expect(page.text, path).toContain('<title>');
    const json = await read(`${server.url}${path}`, '*/*');
    expect(JSON.parse(json.text), path).toMatchObject({ error: { message: expect.any(String) } });
    expect(json.status, path).toBe(page.status);
  }
  expect((await read(`${server.url}/v1/jobs/nobody`)).type).toContain('application/json');
  // A job is spoken of as a job, and OpenAI's clients get OpenAI's words.
  expect((await read(`${server.url}/jobs/nobody`)).text).toContain('Job with id &#39;nobody&#39; not found.');
  expect((await read(`${server.url}/v1/responses/nobody`)).text).toContain("Response with id 'nobody' not found.");
});

test('a page shows a bounded part of what is long, and its links lead to jobs that are there', async () => {
  const { server, producer } = await startFrontDoor();
  const { id: first } = await producer.enqueue(scripted({}, 'The first'));
  await producer.wait(first);
  const input = [
    { role: 'user', content: `# Long ${'word '.repeat(150_000)}` },
    ...Array.from({ length: 60 }, (_, n) => ({ role: 'user', content: `Part ${n}` })),
  ];
  const { id } = await producer.enqueue({ ...scripted(), input, previous_response_id: first });
  const foreign = await producer.enqueue({ ...scripted({}, 'Chained'), previous_response_id: 'resp_of_other_code' });
  const { text, main } = await read(`${server.url}/jobs/${id}`);
  expect(Buffer.byteLength(text)).toBeLessThan(150_000);
  expect(main).toContain('more characters, which the API has.');
  expect(main).toContain('… and 41 more parts, which the API has.');
  expect(text).toContain(`<a href="/jobs/${first}">`);
  const earlier = await read(`${server.url}/jobs/${first}`);
  expect(earlier.main).toContain('Continued by');
  expect(earlier.text).toContain(`<a href="/jobs/${id}">`);
  expect((await read(`${server.url}/jobs/${foreign.id}`)).text).not.toContain('href="/jobs/resp_of_other_code"');
});

test('the API is described by our own page, with commands that can be pasted', async () => {
  const { server } = await startFrontDoor({ workers: 0 });
  const { text, main } = await read(`${server.url}/docs`);
  for (const path of ['/v1/responses', '/v1/jobs/{id}/retry', '/v1/cancellations', '/v1/ledger'])
    expect(main).toContain(path);
  expect(text).toContain(`${server.url}/v1/responses`);
  expect(text).toMatch(/curl -X POST/);
});
