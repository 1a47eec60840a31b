import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Choices that the same seed makes again. */
export interface Random {
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  shuffled<Item>(items: readonly Item[]): Item[];
}

export function randomOf(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  const below = (limit: number) => uniformInt(generator, 0, limit - 1);
  return {
    below,
    chance: probability => below(1_000_000) < probability * 1_000_000,
    pick: items => items[below(items.length)] as (typeof items)[number],
    shuffled: items =>
      items
        .map(item => ({ item, place: below(1_000_000) }))
        .sort((left, right) => left.place - right.place)
        .map(({ item }) => item),
  };
}
