/** What a request asks of its answer besides a text. */
export interface Wishes {
  /** The functions that the run may call. */
  functions: { name: string; parameters: unknown }[];
  /** The outputs of functions that the input brings back. */
  outputs: string[];
  /** The schema of a structured output; null for plain text. */
  schema: unknown;
  tools: unknown[];
  text: unknown;
}

interface Asked {
  input?: unknown;
  tools?: unknown;
  tool_choice?: unknown;
  text?: unknown;
}

export function wishesOf({ input, tools, tool_choice: choice, text }: Asked): Wishes {
  const items = listOf(input);
  const format = objectOf(objectOf(text).format);
  return {
    functions:
      choice === 'none'
        ? []
        : listOf(tools)
            .map(objectOf)
            .filter(({ type }) => type === 'function')
            .map(({ name, parameters }) => ({ name: String(name), parameters })),
    outputs: items
      .map(objectOf)
      .filter(({ type }) => type === 'function_call_output')
      .map(({ output }) => (typeof output === 'string' ? output : JSON.stringify(output))),
    schema: format.type === 'json_schema' ? (format.schema ?? {}) : null,
    tools: listOf(tools),
    text: text ?? null,
  };
}

/** The function that a run calls first. Once the input has an output, the run answers in words. */
export function calledFunction({ functions, outputs }: Wishes): Wishes['functions'][number] | undefined {
  return outputs.length === 0 ? functions[0] : undefined;
}

/** A value that fits a JSON schema. */
export function exampleOf(schema: unknown): unknown {
  const { type, properties, items, enum: words, anyOf, const: constant } = objectOf(schema);
  if (constant !== undefined) return constant;
  if (Array.isArray(words)) return words[0];
  if (Array.isArray(anyOf)) return exampleOf(anyOf[0]);
  switch (Array.isArray(type) ? type[0] : type) {
    case 'string':
      return 'Lisbon';
    case 'integer':
    case 'number':
      return 7;
    case 'boolean':
      return true;
    case 'array':
      return [exampleOf(items)];
    case 'null':
      return null;
    default:
      return Object.fromEntries(Object.entries(objectOf(properties)).map(([name, inner]) => [name, exampleOf(inner)]));
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
