import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OpenAI } from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import { startChild } from '../../src/cli/processes/children.ts';
import { scripted } from '../support/harness.ts';
import { startScene } from '../support/scene.ts';

interface Value {
  stringValue?: string;
  intValue?: string | number;
}
interface ToldSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: Value }[];
}
interface Point {
  asInt?: string | number;
  asDouble?: number;
  attributes: { key: string; value: Value }[];
}

/** A collector that takes OTLP over HTTP in JSON. */
async function startCollector() {
  const bodies: string[] = [];
  const spans: ToldSpan[] = [];
  /** The last export of each process, because sums are cumulative. */
  const metrics = new Map<string, { name: string; sum?: { dataPoints: Point[] } }[]>();
  const server = createServer((request, answer) => {
    let body = '';
    request.on('data', chunk => {
      body += chunk;
    });
    request.on('end', () => {
      bodies.push(body);
      const told = JSON.parse(body);
      for (const { scopeSpans } of told.resourceSpans ?? [])
        for (const scope of scopeSpans) if (scope.scope.name === 'headstone') spans.push(...scope.spans);
      for (const { resource, scopeMetrics } of told.resourceMetrics ?? [])
        metrics.set(
          JSON.stringify(resource.attributes),
          scopeMetrics
            .filter((one: { scope: { name: string } }) => one.scope.name === 'headstone')
            .flatMap((one: { metrics: [] }) => one.metrics),
        );
      answer.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const points = (name: string) =>
    [...metrics.values()].flat().flatMap(metric => (metric.name === name ? (metric.sum?.dataPoints ?? []) : []));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans, bodies, points };
}

const attributes = (of: { attributes: { key: string; value: Value }[] }) =>
  Object.fromEntries(of.attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]));

test('one trace from the caller to the outcome, each usage counted once, and no prompt anywhere (I13)', {
  timeout: 60_000,
}, async () => {
  const collector = await startCollector();
  const telemetry = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: '100',
    OTEL_METRIC_EXPORT_INTERVAL: '500',
    OTEL_METRIC_EXPORT_TIMEOUT: '400',
    OTEL_METRICS_EXPORTER: 'otlp',
  };
  const { startWorker, env, lines, producer } = await startScene(telemetry);
  await startWorker();
  const server = await startChild(['server', '--port', '0'], { env, onLine: line => lines.push(line) });
  onTestFinished(() => server.stop());

  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const client = new OpenAI({
    baseURL: `${server.address}/v1`,
    apiKey: 'any',
    defaultHeaders: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
  });
  const secret = 'the tides of the harbour';
  const used = await client.responses.create({ ...scripted({ duration_ms: 700 }, secret), background: true });
  const wasted = await client.responses.create({
    ...scripted({ duration_ms: 900, flip_after_ms: 0 }, `${secret}, unwanted`),
    background: true,
  });
  await expect.poll(async () => (await producer.get(wasted.id))?.status).toBe('running');
  await client.responses.cancel(wasted.id);

  const named = (name: string) => collector.spans.filter(span => span.name === name);
  await expect.poll(() => named('chat gpt-5.5'), { timeout: 20_000 }).toHaveLength(2);
  await expect.poll(() => named('job gpt-5.5')).toHaveLength(2);
  // A restart of nothing, a second look: no usage is told twice.
  const rows = await producer.ledger();
  const tokens = (kind: string, part: 'input_tokens' | 'output_tokens') =>
    rows.filter(row => row.kind === kind).reduce((sum, row) => sum + (row.usage?.[part] ?? 0), 0);
  for (const part of ['input_tokens', 'output_tokens'] as const)
    for (const kind of ['used', 'wasted'])
      await expect
        .poll(
          () =>
            collector
              .points(`gen_ai.client.inference.usage.${part}`)
              .filter(point => attributes(point)['headstone.kind'] === kind)
              .reduce((sum, point) => sum + Number(point.asInt ?? point.asDouble), 0),
          { timeout: 15_000 },
        )
        .toBe(tokens(kind, part));

  // Everything about the two jobs is in the caller's trace, below its enqueue.
  const ours = collector.spans.filter(({ traceId: id }) => id === traceId);
  const enqueued = ours.filter(({ name }) => name === 'enqueue gpt-5.5');
  expect(enqueued).toHaveLength(2);
  expect(enqueued.every(({ parentSpanId }) => parentSpanId === 'b7ad6b7169203331')).toBe(true);
  for (const id of [used.id, wasted.id]) {
    const root = enqueued.find(span => attributes(span)['headstone.job.id'] === id);
    const below = ours.filter(span => attributes(span)['headstone.job.id'] === id && span !== root);
    expect(new Set(below.map(({ name }) => name))).toEqual(
      new Set(['launch gpt-5.5', 'fetch_response', 'chat gpt-5.5', 'job gpt-5.5']),
    );
    expect(below.every(({ parentSpanId }) => parentSpanId === root?.spanId)).toBe(true);
  }
  const chat = named('chat gpt-5.5').map(attributes);
  expect(chat.find(one => one['headstone.job.id'] === wasted.id)).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-5.5',
    'headstone.kind': 'wasted',
    'headstone.cause': 'cancelled',
    'headstone.tenant': 'default',
    'gen_ai.usage.output_tokens': tokens('wasted', 'output_tokens'),
  });
  // A fetch reports no usage, as the conventions ask.
  expect(
    named('fetch_response')
      .map(attributes)
      .every(one => !('gen_ai.usage.output_tokens' in one)),
  ).toBe(true);
  expect(collector.bodies.join('')).not.toContain(secret);
  expect(collector.bodies.join('')).not.toContain('what there is to say');
  // The log names the trace.
  const told = lines.filter(line => line.job_id === used.id && line.event === 'launch_acknowledged');
  expect(told).toMatchObject([{ trace_id: traceId }]);
});
