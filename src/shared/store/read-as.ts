import type { z } from 'zod';

/** The value of a JSON text; undefined if it does not have this shape. */
export function readAs<Schema extends z.ZodType>(
  schema: Schema,
  text: unknown,
): { value: z.output<Schema> | undefined } {
  try {
    return { value: schema.safeParse(JSON.parse(String(text))).data };
  } catch {
    return { value: undefined };
  }
}
