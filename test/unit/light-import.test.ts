import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** The number of files that `import 'headstone'` loaded on 2026-11-28, when it still loaded the worker and the server. */
const FILES_BEFORE = 1020;

/** The files that Node loads when it imports an entry of the package. */
function filesLoadedBy(entry: string): string[] {
  const script = `
    const { registerHooks } = await import('node:module');
    const urls = new Set();
    registerHooks({ load: (url, context, next) => (urls.add(url), next(url, context)) });
    await import(${JSON.stringify(new URL(`../../src/${entry}.ts`, import.meta.url))});
    process.stdout.write(JSON.stringify([...urls].filter(url => url.startsWith('file:'))));
    process.exit();`;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
}

test('an app that only enqueues loads at most 60 % of the files, and neither the provider’s client nor the server', () => {
  const files = filesLoadedBy('index');
  expect(files.length).toBeLessThanOrEqual(FILES_BEFORE * 0.6);
  const packages = new Set(files.flatMap(file => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []));
  expect(packages).toContain('bullmq');
  for (const name of ['openai', 'fastify', 'chart.js', '@pydantic/genai-prices', '@bull-board/api'])
    expect(packages).not.toContain(name);
});

test.each(['worker', 'fetch', 'server'])('the entry headstone/%s loads', entry => {
  expect(filesLoadedBy(entry).length).toBeGreaterThan(10);
});

test('a worker reads no names of languages: the first formatter of a process takes 5 MB', () => {
  const script = `
    const made = [];
    for (const name of ['NumberFormat', 'DateTimeFormat', 'Collator', 'PluralRules', 'RelativeTimeFormat', 'Segmenter'])
      Intl[name] = new Proxy(Intl[name], { construct(...given) { made.push(name); return Reflect.construct(...given); } });
    await import(${JSON.stringify(new URL('../../src/worker.ts', import.meta.url))});
    process.stdout.write(JSON.stringify(made));
    process.exit();`;
  const made = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(JSON.parse(made)).toEqual([]);
});
