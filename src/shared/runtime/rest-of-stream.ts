import type { UpstreamEvent } from '../contract/stream.ts';

type Part = { type?: string; text?: string; [field: string]: unknown };
type Item = { id?: string; type?: string; content?: unknown; [field: string]: unknown };

/**
 * The events that a stream did not send of a final response: because it could not be followed to its end, or because the job was
 * no stream. A text continues where its deltas ended, so no reader receives a word twice.
 */
export function restOfStream(said: UpstreamEvent[], output: unknown): UpstreamEvent[] {
  // What the provider's output has beyond its documentation is left out.
  return objectsIn<Item>(output).flatMap((item, index) => restOfItem(said, item, index));
}

function restOfItem(said: UpstreamEvent[], item: Item, index: number): UpstreamEvent[] {
  const about = said.filter(event => event.output_index === index);
  const has = (type: string) => about.some(event => event.type === type);
  if (has('response.output_item.done')) return [];
  const parts = item.type === 'message' ? objectsIn<Part>(item.content) : [];
  const beginning = { ...item, status: 'in_progress', ...(item.type === 'message' ? { content: [] } : {}) };
  return [
    ...(has('response.output_item.added')
      ? []
      : [{ type: 'response.output_item.added', output_index: index, item: beginning }]),
    ...parts.flatMap((part, content) =>
      restOfPart(
        about.filter(event => event.content_index === content),
        part,
        { item_id: item.id, output_index: index, content_index: content },
      ),
    ),
    { type: 'response.output_item.done', output_index: index, item },
  ];
}

function restOfPart(
  about: UpstreamEvent[],
  part: Part,
  place: { item_id: string | undefined; output_index: number; content_index: number },
): UpstreamEvent[] {
  const has = (type: string) => about.some(event => event.type === type);
  if (has('response.content_part.done')) return [];
  const added = has('response.content_part.added')
    ? []
    : [
        {
          type: 'response.content_part.added',
          ...place,
          part: { ...part, ...(part.text === undefined ? {} : { text: '' }) },
        },
      ];
  const finished = { type: 'response.content_part.done', ...place, part };
  if (part.type !== 'output_text') return [...added, finished];
  const text = typeof part.text === 'string' ? part.text : '';
  const spoken = about
    .flatMap(event => (event.type === 'response.output_text.delta' ? String(event.delta) : []))
    .join('');
  // If the text differs from what was sent, only the events that end it have the whole text.
  const delta = text.startsWith(spoken) ? text.slice(spoken.length) : '';
  return [
    ...added,
    ...(delta === '' ? [] : [{ type: 'response.output_text.delta', ...place, delta, logprobs: [] }]),
    ...(has('response.output_text.done') ? [] : [{ type: 'response.output_text.done', ...place, text, logprobs: [] }]),
    finished,
  ];
}

function objectsIn<Shape extends object>(value: unknown): Shape[] {
  return Array.isArray(value) ? value.filter(one => typeof one === 'object' && one !== null) : [];
}
