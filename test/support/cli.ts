import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { inject, onTestFinished } from 'vitest';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the CLI as a person would, on the store of the tests unless `env` names another. */
export async function headstone(args: string[], env: Record<string, string> = {}, input?: string): Promise<Ran> {
  const command = startCommand(args, env, input);
  return { code: await command.ended, stdout: command.stdout(), stderr: command.stderr() };
}

/** Starts a command that the test watches while it runs. */
export function startCommand(args: string[], env: Record<string, string> = {}, input?: string) {
  const child = spawn(process.execPath, [main, ...args], {
    // The permission to spend money is for the contract tests, not for these.
    env: { ...process.env, REDIS_URL: inject('redisUrl'), HEADSTONE_LIVE: '', ...env },
  });
  // A failed test leaves no process behind.
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  child.stdin.end(input);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', chunk => {
    stdout += chunk;
  });
  child.stderr.on('data', chunk => {
    stderr += chunk;
  });
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    ended: once(child, 'close').then(([code]) => code as number),
  };
}
