import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

export const binaries = {
  biome: 'node_modules/@biomejs/biome/bin/biome',
  tsc: 'node_modules/typescript/bin/tsc',
  vitest: 'node_modules/vitest/vitest.mjs',
};

export interface Ran {
  code: number;
  output: string;
}

export interface RunOptions {
  folder?: string;
  env?: Record<string, string>;
  /** True keeps the output for the caller instead of showing it. */
  quiet?: boolean;
  /** Kills it and what it started after this long; its code is then 1. */
  limitMs?: number;
}

/** Runs a JavaScript file on the Node that runs this one. */
export async function runFile(file: string, args: string[], options: RunOptions = {}): Promise<Ran> {
  const folder = options.folder ?? root;
  const child = spawn(process.execPath, [file, ...args], {
    cwd: folder,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', options.quiet ? 'pipe' : 'inherit', options.quiet ? 'pipe' : 'inherit'],
    // A group of its own, so that a limit ends its workers too, of which one may be what hangs.
    detached: options.limitMs !== undefined,
  });
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await (options.limitMs === undefined
    ? once(child, 'close')
    : closedWithin(child, options.limitMs))) as [number | null];
  return { code: code ?? 1, output: Buffer.concat(chunks).toString() };
}

async function closedWithin(child: ChildProcess, limitMs: number): Promise<unknown[]> {
  const end = () => process.kill(-Number(child.pid), 'SIGKILL');
  // The terminal sends Ctrl-C to this process alone.
  const interrupt = () => {
    end();
    process.exit(130);
  };
  process.on('SIGINT', interrupt);
  const limit = setTimeout(end, limitMs);
  try {
    return await once(child, 'close');
  } finally {
    clearTimeout(limit);
    process.off('SIGINT', interrupt);
  }
}
