/**
 * Divides a cap among lanes by what they need. Every lane gets what it needs, or an equal part if that is not enough for all;
 * what is left over is divided equally, so that an idle lane can begin at once. The sum is the cap. `first`: the lane to begin
 * with, which changes with each call, so that a cap of less than one for each lane goes round.
 */
export function fairShares(cap: number, needs: number[], first: number): number[] {
  const shares = needs.map(() => 0);
  const order = needs.map((_, position) => (position + first) % needs.length);
  let left = cap;
  const give = (lane: number, amount: number) => {
    shares[lane] = (shares[lane] ?? 0) + amount;
    left -= amount;
  };
  for (;;) {
    const needy = order.filter(lane => (shares[lane] ?? 0) < (needs[lane] ?? 0));
    if (needy.length === 0 || left === 0) break;
    const part = Math.max(1, Math.floor(left / needy.length));
    for (const lane of needy) give(lane, Math.min(part, left, (needs[lane] ?? 0) - (shares[lane] ?? 0)));
  }
  for (const [position, lane] of order.entries()) give(lane, Math.ceil(left / (order.length - position)));
  return shares;
}
