import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type LogLine = { event?: string } & Record<string, unknown>;

export interface Child {
  /** The address in its ready line; empty if it has none. */
  address: string;
  pid: number;
  /** Sends SIGTERM, and resolves when the process has ended. */
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with how it ended: its exit code, or the signal. */
  ended: Promise<string>;
}

export interface ChildOptions {
  env?: Record<string, string>;
  onLine?: (line: LogLine) => void;
}

/** The CLI's entry: `main.ts` in a checkout, `main.js` in the package. */
const main = fileURLToPath(new URL(`../main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));
const QUIET_EXIT_MS = 15_000;

/** Starts a command of this CLI as a process. Resolves at its log line `process_ready`. */
export async function startChild(command: string[], { env = {}, onLine }: ChildOptions = {}): Promise<Child> {
  const child = spawn(process.execPath, [main, ...command], {
    // The IPC channel carries nothing. When it closes, the child knows that its parent is gone.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
    // Ctrl-C reaches the whole foreground group. A detached child is stopped by its parent, in order.
    detached: true,
  });
  const ended = once(child, 'exit').then(([code, signal]) => String(signal ?? `exit code ${code}`));
  const complaints: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => complaints.push(chunk.toString()));
  const address = await new Promise<string>((resolve, reject) => {
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    lines.on('line', text => {
      const line = parseLine(text);
      if (line.event === 'process_ready') resolve(typeof line.address === 'string' ? line.address : '');
      onLine?.(line);
    });
    child.once('error', reject);
    child.once('exit', code =>
      reject(new Error(complaints.join('').trim() || `headstone ${command[0]} ended with exit code ${code}.`)),
    );
  });
  return {
    address,
    pid: child.pid ?? 0,
    ended,
    kill: signal => child.kill(signal),
    stop: () => stop(child, ended),
  };
}

async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const lastResort = setTimeout(() => child.kill('SIGKILL'), QUIET_EXIT_MS);
  await ended;
  clearTimeout(lastResort);
}

function parseLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return {};
  }
}
