import { z } from 'zod';
import { parseInput } from '../shared/contract/errors.ts';
import { jobIdSchema } from '../shared/contract/words.ts';

/** The id, or an error that says what one looks like. */
export function checkId(id: string): string {
  return parseInput(z.object({ id: jobIdSchema }), { id }).id;
}
