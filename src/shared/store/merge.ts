/**
 * Merges what several lanes list, each in order, into one order. `compare` says which of two comes first, as for `sort`. At any
 * time it holds one item of each lane.
 */
export async function* merge<Item>(
  sources: AsyncIterator<Item>[],
  compare: (left: Item, right: Item) => number,
): AsyncGenerator<Item, void> {
  const heads = await Promise.all(sources.map(source => source.next()));
  for (;;) {
    let first: number | undefined;
    for (const [lane, { done, value }] of heads.entries())
      if (!done && (first === undefined || compare(value, heads[first]?.value) < 0)) first = lane;
    if (first === undefined) return;
    yield heads[first]?.value as Item;
    heads[first] = (await sources[first]?.next()) as IteratorResult<Item>;
  }
}
