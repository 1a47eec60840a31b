import { expect, test } from 'vitest';
import { EventNumbers } from '../../src/worker/event-numbers.ts';

const delta = (text: string, sequence_number?: number) => ({
  type: 'response.output_text.delta',
  delta: text,
  ...(sequence_number === undefined ? {} : { sequence_number }),
});
const created = (sequence_number: number) => ({ type: 'response.created', sequence_number });
const fresh = () => new EventNumbers({ base: 0, last: -1, areTheirs: true });

/** The number that each event of each connection was given. */
function placed(numbers: EventNumbers, ...connections: (ReturnType<typeof delta> | ReturnType<typeof created>)[][]) {
  return connections.map((events, n) => {
    if (n > 0) numbers.reconnect();
    return events.map(event => numbers.place(event));
  });
}

test('growing numbers are kept, and a stream goes on just where it broke off', () => {
  const numbers = fresh();
  expect(placed(numbers, [created(0), delta('a', 1)], [delta('b', 2)])).toEqual([[0, 1], [2]]);
  expect(numbers).toMatchObject({ areTheirs: true, isWhole: true, resumeAfter: 2 });
});

test('numbers that are left out, or say 0 always, become ours, and such a stream is not resumed', () => {
  for (const events of [
    [delta('a'), delta('b')],
    [delta('a', 0), delta('b', 0), delta('c', 0)],
  ]) {
    const numbers = fresh();
    expect(placed(numbers, events)).toEqual([events.map((_, n) => n)]);
    expect(numbers.resumeAfter).toBeNull();
  }
});

test('a replay from the beginning is known by what was heard', () => {
  expect(placed(fresh(), [created(0), delta('a', 1)], [created(0), delta('a', 1), delta('b', 2)])).toEqual([
    [0, 1],
    ['heard', 'heard', 2],
  ]);
});

test('new events under old numbers, a gap after a reconnect, and a reconnect in the middle are not guessed at', () => {
  expect(placed(fresh(), [created(0), delta('a', 1)], [created(0), delta('b', 1)])).toEqual([
    [0, 1],
    ['heard', 'lost'],
  ]);
  expect(placed(fresh(), [created(0), delta('a', 1)], [delta('c', 3)])).toEqual([[0, 1], ['lost']]);
  expect(placed(fresh(), [created(0), delta('a', 1)], [delta('b', 0)])).toEqual([[0, 1], ['lost']]);
});

test('a gap within a connection shows that something may be missing; a numbered sign of life is none', () => {
  const numbers = fresh();
  numbers.place(created(0));
  numbers.skip({ type: 'keepalive', sequence_number: 1 });
  numbers.place(delta('a', 2));
  expect(numbers.isWhole).toBe(true);
  numbers.place(delta('b', 5));
  expect(numbers.isWhole).toBe(false);
});

test('a second run’s events come after the first one’s, and a take-over knows whose numbers they are', () => {
  const second = new EventNumbers({ base: 10, last: 9, areTheirs: true });
  expect(placed(second, [created(0), delta('a', 1)])).toEqual([[10, 11]]);
  expect(second.resumeAfter).toBe(1);
  const taken = new EventNumbers({ base: 10, last: 12, areTheirs: false });
  expect(taken.resumeAfter).toBeNull();
});
