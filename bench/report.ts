import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';

const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout.trim();

/** Prints one figure as a line of JSON, with the commit, the machine and the time, so that runs can be compared. */
export function report(figure: { store: string; jobs: number; figure: string } & Record<string, unknown>): void {
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
  const date = new Date().toISOString().slice(0, 10);
  process.stdout.write(`${JSON.stringify({ date, commit, machine, ...figure })}\n`);
}
