// Takes the pictures in docs/images: it starts everything, fills it with jobs as a team might have them, and opens each page.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { startSystem } from '../src/cli/processes/system.ts';
import { createProducer } from '../src/producer/create-producer.ts';
import { fill } from './life-like.ts';
import { root } from './run-file.ts';

const HEADSTONE_PREFIX = '{screenshots}';

const system = await startSystem({
  redisUrl: undefined,
  storePort: 0,
  simulatorPort: 0,
  simulate: true,
  workers: 1,
  serverPort: 0,
  env: {
    HEADSTONE_PREFIX,
    HEADSTONE_POLL_MIN_MS: '300',
    HEADSTONE_SETTLE_FIRST_MS: '1000',
    HEADSTONE_SETTLE_WINDOW_MS: '6000',
    HEADSTONE_MAX_IN_FLIGHT: '16',
  },
  onLine: () => {},
});
const origin = system.serverUrl ?? '';
const producer = createProducer({ connection: system.redisUrl, prefix: HEADSTONE_PREFIX });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
});
try {
  const { flipped, running, bulk } = await fill(producer);
  // Until the tokens of what was cancelled are known.
  while ((await producer.depths()).unsettled_responses > 0) await sleep(200);
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  const page = await context.newPage();
  for (const [name, path] of [
    ['overview', '/'],
    ['jobs', '/jobs'],
    ['job', `/jobs/${flipped}`],
    ['running', `/jobs/${running}`],
    ['waste', '/waste'],
    ['responses', '/waste/responses?kind=wasted'],
    ['cancellations', '/cancellations'],
    ['cancellation', `/cancellations/${bulk}`],
    ['api', '/docs'],
    ['board', '/board/queue/launch'],
  ] as const) {
    await page.goto(`${origin}${path}`);
    await page.waitForLoadState('networkidle');
    await page.screenshot({ path: join(root, 'docs', 'images', `${name}.png`) });
  }
} finally {
  await browser.close();
  await producer.close();
  await system.stop();
}
