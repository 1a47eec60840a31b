import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../src', import.meta.url));

/** What each folder may import besides itself. The files in src/ itself are the entries of the package. */
const arrows: Record<string, string[]> = {
  'shared/contract': [],
  'shared/runtime': ['shared/contract'],
  'shared/store': ['shared/contract', 'shared/runtime'],
  provider: ['shared/contract', 'shared/runtime'],
  producer: ['shared'],
  worker: ['shared', 'provider'],
  server: ['shared', 'producer'],
  embedded: [],
  simulator: [],
  cli: ['shared', 'provider', 'producer', 'worker', 'server', 'embedded', 'simulator'],
  '.': ['shared', 'producer', 'worker', 'server'],
};

/** The only files and folders that may import a package whose interface is wide. */
const doors: Record<string, string[]> = {
  openai: [
    'provider',
    'server/webhooks/verify.ts',
    'worker/create-worker.ts',
    'worker/worker.ts',
    'worker/activations.ts',
    'cli/client',
    'cli/probe/provider.ts',
    'cli/demo/bare.ts',
  ],
  ioredis: ['shared/store/connection'],
  bullmq: ['shared/store/queues.ts', 'worker/consumer.ts'],
  undici: ['provider/lean-request.ts', 'worker/callbacks/send.ts'],
  'ipaddr.js': ['shared/runtime/callback-url.ts'],
  fastify: ['server', 'simulator'],
  '@opentelemetry/sdk-node': ['cli/processes/open-telemetry.ts'],
  pino: ['shared/runtime/logger.ts'],
  'prom-client': ['shared/runtime/metrics.ts', 'server/health.ts'],
  '@pydantic/genai-prices': ['shared/runtime/prices.ts', 'shared/runtime/list-price.ts'],
  ghtml: ['server/pages'],
  commander: ['cli'],
};

const importPattern = /(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g;

/** Whether a path is one of these files or in one of these folders. */
function isIn(path: string, places: string[]): boolean {
  return places.some(place => path === place || path.startsWith(`${place}/`));
}

function folderOf(file: string): string {
  return Object.keys(arrows).find(folder => file.startsWith(`${folder}/`)) ?? '.';
}

/** The imports of a file, given by its path in src/, that no arrow or door allows. */
function forbidden(file: string, source: string): string[] {
  const folder = folderOf(file);
  return [...source.matchAll(importPattern)].flatMap(([, target = '']) => {
    if (target.startsWith('.')) {
      const path = normalize(join(dirname(file), target));
      const isAllowed = isIn(path, arrows[folder] ?? []) || folderOf(path) === folder;
      return isAllowed ? [] : [`${file} imports ${path}`];
    }
    const name = /^(@[^/]+\/[^/]+|[^/]+)/.exec(target)?.[1] ?? '';
    return isIn(file, doors[name] ?? [file]) ? [] : [`${file} imports ${name}`];
  });
}

test('no file of src/ imports against the arrows, or a package past its door', () => {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(100);
  expect(files.flatMap(file => forbidden(file, readFileSync(join(root, file), 'utf8')))).toEqual([]);
});

test.each([
  ['simulator/a.ts', "import { Store } from '../shared/store/store.ts';"],
  ['embedded/a.ts', "import { Store } from '../shared/store/store.ts';"],
  ['shared/contract/a.ts', "import { Telemetry } from '../runtime/telemetry.ts';"],
  ['shared/runtime/a.ts', "import { Store } from '../store/store.ts';"],
  ['shared/store/a.ts', "import { Producer } from '../../producer/producer.ts';"],
  ['provider/a.ts', "import type { Store } from '../shared/store/store.ts';"],
  ['producer/a.ts', "const { Worker } = await import('../worker/worker.ts');"],
  ['worker/a.ts', "import { Producer } from '../producer/producer.ts';"],
  ['worker/b.ts', "import { runProgram } from '../cli/program.ts';"],
  ['worker/c.ts', "import { OpenAI } from 'openai';"],
  ['worker/d.ts', "import { Stream } from 'openai/streaming';"],
  ['server/a.ts', "import { Worker } from '../worker/worker.ts';"],
  ['producer/b.ts', "import { Redis } from 'ioredis';"],
  ['index.ts', "import { runProgram } from './cli/program.ts';"],
])('%s may not say: %s', (file, source) => {
  expect(forbidden(file, source)).toHaveLength(1);
});

test.each([
  ['worker/e.ts', "import type { Store } from '../shared/store/store.ts';"],
  ['server/api/b.ts', "import type { Producer } from '../../producer/producer.ts';"],
  ['provider/upstream.ts', "import { OpenAI } from 'openai';"],
  ['worker/consumer.ts', "import { Worker } from 'bullmq';"],
  ['index.ts', "export { createProducer } from './producer/create-producer.ts';"],
])('%s may say: %s', (file, source) => {
  expect(forbidden(file, source)).toEqual([]);
});
