import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';

/** Where a scenario runs. */
export interface Place {
  redis: Redis;
  redisUrl: string;
  /** The base URL of a provider that answers at once. */
  providerUrl: string;
  /** Left out where PostgreSQL is not on the PATH. */
  postgresUrl?: string;
  /** How many jobs a race has. Scenarios of many jobs have multiples of it. */
  jobs: number;
}

/** One figure of one round: ours, and an opponent's of the same round if there is one. */
export interface Sample {
  figure: string;
  ours: number;
  /** Left out for a figure that is compared with nothing. */
  against?: { name: string; theirs: number };
  /** What should be reached: a ratio if there is an opponent, otherwise the figure itself. */
  goal?: string;
}

/** A part of the benchmark. The runner calls it once in each round. */
export interface Scenario {
  name: string;
  /** One sentence for the README of this folder. */
  about: string;
  /** True for what takes minutes: it has one round, and `--quick` leaves it out. */
  isLong?: boolean;
  measure(place: Place, round: number): Promise<Sample[]>;
}

/** The heap of a worker as deploy/ and docs/operations.md give it. */
export const SMALL_HEAP = ['--max-old-space-size=128', '--max-semi-space-size=4'];

/** Starts a file of this folder as a process that ends with this one. */
export function startProcess(file: string, args: string[] = [], execArgv: string[] = []): ChildProcess {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv,
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}

/** The resident memory of a process, by Linux' own account. */
export function residentMb(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1]) / 1024;
}

/** The value below which this part of the values lies. */
export function quantile(values: number[], part: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

export async function redisCpuMs(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const seconds = (field: string) => Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(info)?.[1] ?? Number.NaN);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1000;
}
