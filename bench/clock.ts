/** Milliseconds since 1970 with their fractions, the same in all processes of a machine. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
