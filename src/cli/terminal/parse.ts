import { InvalidArgumentError, Option } from 'commander';

const unitsMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('It must be a port, 0 to 65535.');
  return port;
}

/** Reads `90s`, `15m`, `24h`, `7d` or `500ms` as milliseconds. A number without a unit is refused. */
export function parseDuration(text: string): number {
  const [, amount, unit = ''] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (amount === undefined) throw new InvalidArgumentError('It must be a duration like 90s, 15m or 24h.');
  return Number(amount) * (unitsMs[unit] ?? 1);
}

/** An option for a duration. Its help shows the default as a person would write it. */
export function durationOption(flags: string, description: string, fallback: string): Option {
  return new Option(flags, description).argParser(parseDuration).default(parseDuration(fallback), fallback);
}

export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('It must be a whole number of at least 1.');
  return count;
}

/** For an option that may be given several times. */
export function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

/** For an option that may be given only once. */
export function once(value: string, before: string | undefined): string {
  if (before !== undefined) throw new InvalidArgumentError('It can be given only once.');
  return value;
}

export function parseUsd(text: string): number {
  const dollars = Number(text);
  if (!(dollars > 0)) throw new InvalidArgumentError('It must be an amount in dollars, like 0.10.');
  return dollars;
}
