import { z } from 'zod';

/** A browser sends an empty text for a field that was left empty. */
function emptyAsMissing(value: unknown): unknown {
  return value === '' ? undefined : value;
}

/** A field of a form or of a query that may be left empty. */
export function optionalField<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess(emptyAsMissing, schema.optional());
}

/** A query of which every field may be left empty, except those for which an empty text means something. */
export function withoutEmpty<Schema extends z.ZodType>(schema: Schema, kept: string[] = []) {
  return z.preprocess(
    query =>
      Object.fromEntries(
        Object.entries(query as object).filter(([name, value]) => value !== '' || kept.includes(name)),
      ),
    schema,
  );
}
