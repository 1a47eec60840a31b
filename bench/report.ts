import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';

const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout.trim();

/** The date, the commit and the machine of a run, without which its figures cannot be compared. */
export function whereAndWhen(): { date: string; commit: string; machine: string } {
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
  return { date: new Date().toISOString().slice(0, 10), commit, machine };
}

/** Prints one figure as a line of JSON, with the date, the commit and the machine. */
export function report(figure: { store: string; jobs: number; figure: string } & Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify({ ...whereAndWhen(), ...figure })}\n`);
}
