const cents = { minimumFractionDigits: 2, maximumFractionDigits: 2 };

/** Millionths of a dollar as dollars. Tiny amounts keep their digits. */
export function usd(micros: number | null): string {
  if (micros === null) return 'no price';
  const dollars = micros / 1_000_000;
  return `$${dollars >= 0.01 || dollars === 0 ? dollars.toLocaleString('en-US', cents) : dollars.toPrecision(2)}`;
}

/** Milliseconds since 1970 as a time in UTC. */
export function time(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ');
}

export function whole(number: number): string {
  return number.toLocaleString('en-US');
}

/** The first one of a process reads the names of all languages, which takes 5 MB. A worker needs none. */
let short: Intl.NumberFormat | undefined;

/** A number in at most seven places: 123,456, 1.7M. */
export function shortWhole(number: number): string {
  if (number < 1_000_000) return whole(number);
  short ??= new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });
  return short.format(number);
}

/** `1 job`, `2,000 jobs`. */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${whole(number)} ${number === 1 ? one : many}`;
}

/** A time span in its largest fitting units: 830 ms, 4.2 s, 3 min 12 s, 2 h 5 min. */
export function span(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1000)} s`;
  return `${Math.floor(ms / 3_600_000)} h ${Math.floor((ms % 3_600_000) / 60_000)} min`;
}

/** A time span in one unit, as people say it: 12 s, 3 min, 2 h, 5 d. */
export function age(ms: number): string {
  if (ms < 60_000) return `${Math.floor(ms / 1000)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  if (ms < 48 * 3_600_000) return `${Math.floor(ms / 3_600_000)} h`;
  return `${Math.floor(ms / 86_400_000)} d`;
}
