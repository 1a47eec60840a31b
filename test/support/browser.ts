import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** False if there is no Chromium. Tests that need it are then skipped with a sentence. */
export const hasBrowser = existsSync(executablePath);
if (!hasBrowser)
  process.stdout.write(
    `There is no Chromium at ${executablePath}: the pages are not tested in a browser (apt-get install chromium, or set CHROMIUM).\n`,
  );

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath, args });
}

export interface Watched {
  context: BrowserContext;
  page: Page;
  /** What a page must not do: log an error, run what a field contains, or ask another server. */
  complaints: string[];
}

export async function openPage(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({ baseURL: origin, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', message => {
    // A page that is refused also writes to the console, which is not a fault.
    if (message.type() === 'error' && !message.text().includes('status of 4')) complaints.push(message.text());
  });
  page.on('pageerror', error => complaints.push(error.message));
  page.on('dialog', async dialog => {
    complaints.push(`a dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on('request', request => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:'))
      complaints.push(`asked ${request.url()}`);
  });
  return { context, page, complaints };
}
