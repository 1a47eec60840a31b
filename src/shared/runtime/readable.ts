/** A part of a prompt or of an answer, for people. `kind` says how its text is written. */
export interface ReadablePart {
  /** `message`: prose, perhaps in Markdown. `data`: JSON. `note`: about a part that has no text. */
  kind: 'message' | 'data' | 'note';
  /** Who said it, or what it is: `user`, `assistant`, `reasoning`, `call of search`. */
  title: string;
  text: string;
}

type Item = Record<string, unknown>;

/** What a request asks, in the order in which the model reads it. */
export function promptOf({ instructions, input, tools }: Item): ReadablePart[] {
  const asked = typeof input === 'string' ? [message('user', input)] : itemsOf(input).flatMap(partsOf);
  const names = itemsOf(tools).map(({ name, type }) => String(name ?? type));
  return [
    ...(typeof instructions === 'string' && instructions !== '' ? [message('instructions', instructions)] : []),
    ...asked,
    ...(names.length > 0 ? [{ kind: 'note' as const, title: 'tools', text: names.join(', ') }] : []),
  ];
}

/** What a response says. */
export function answerOf(response: { output?: unknown }): ReadablePart[] {
  return itemsOf(response.output).flatMap(partsOf);
}

/** The answer as plain text: the messages alone, or nothing if the model only called tools. */
export function answerText(response: { output?: unknown }): string {
  return itemsOf(response.output)
    .filter(({ type }) => type === 'message')
    .flatMap(({ content }) => itemsOf(content))
    .filter(({ type }) => type === 'output_text')
    .map(({ text }) => (typeof text === 'string' ? text : ''))
    .join('');
}

function partsOf(item: Item): ReadablePart[] {
  const { type = 'message', role = 'assistant', content } = item;
  if (type === 'message') {
    const title = String(role);
    if (typeof content === 'string') return [message(title, content)];
    return itemsOf(content).map(part => partOf(title, part));
  }
  if (type === 'reasoning') {
    const summary = itemsOf(item.summary).map(({ text }) => String(text ?? ''));
    return summary.length === 0 ? [] : [message('reasoning', summary.join('\n\n'))];
  }
  const name = item.name ?? item.tool_name;
  const said = item.arguments ?? item.output ?? item.action ?? item.queries ?? item.code;
  if (said === undefined) return [{ kind: 'note', title: String(type), text: String(item.status ?? item.id ?? '') }];
  return [
    { kind: 'data', title: [String(type).replaceAll('_', ' '), name].filter(Boolean).join(' '), text: written(said) },
  ];
}

function partOf(title: string, part: Item): ReadablePart {
  if (typeof part.text === 'string') return message(title, part.text);
  if (typeof part.refusal === 'string') return message(`${title}, refusing`, part.refusal);
  return { kind: 'note', title, text: `(${String(part.type ?? 'a part without text').replaceAll('_', ' ')})` };
}

/** Structured output is JSON, which reads better with indents. */
function message(title: string, text: string): ReadablePart {
  const isData = /^\s*[[{]/.test(text) && isJson(text);
  return isData ? { kind: 'data', title, text: written(text) } : { kind: 'message', title, text };
}

function written(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value, null, 2);
  return isJson(value) ? JSON.stringify(JSON.parse(value), null, 2) : value;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function itemsOf(value: unknown): Item[] {
  return Array.isArray(value) ? value.filter((item): item is Item => typeof item === 'object' && item !== null) : [];
}
