import { z } from 'zod';
import { parseInput } from '../shared/contract/errors.ts';
import { jobIdSchema } from '../shared/contract/words.ts';

/** Returns the id. Throws `invalid_request` with what an id looks like. */
export function checkId(id: string): string {
  return parseInput(z.object({ id: jobIdSchema }), { id }).id;
}
