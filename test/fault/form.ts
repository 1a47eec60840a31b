import { randomInt } from 'node:crypto';
import { appendFileSync } from 'node:fs';

/** `npm test` runs the short forms, and `npm run test:fault -- --rounds 20` tries everything as often as it says. */
export const rounds = Number(process.env.FAULT_ROUNDS ?? 0);
export const isShort = rounds === 0;

/** Repeats the choices of an earlier run, which printed it. */
export const seed = Number(process.env.FAULT_SEED ?? randomInt(1_000_000));

/** What a test found, for people: a row of the table in docs/reliability.md. */
export interface Finding {
  part: string;
  what: string;
  tried: number;
  violations: number;
  /** Other figures, with their units. */
  figures?: string;
}

/** Prints a finding, and hands it to `npm run test:fault`, which collects them. */
export function report(finding: Finding): void {
  const { part, what, tried, violations, figures = '' } = finding;
  process.stdout.write(`${part}: ${what}: tried ${tried}, violations ${violations}. ${figures} Seed ${seed}.\n`);
  const file = process.env.FAULT_FINDINGS;
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(finding)}\n`);
}

/** The value below which this share of the values is, rounded. */
export function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}
