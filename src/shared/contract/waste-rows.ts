import { z } from 'zod';
import { daySchema, inOrder } from './days.ts';
import { type LedgerRow, wasteDimensionSchema } from './ledger.ts';

/** A page of the ledger's rows for people: those that stand behind a sum of the waste. */
export const wasteRowsQuerySchema = z
  .strictObject({
    by: wasteDimensionSchema.exclude(['day']).optional(),
    /** What the rows have of that dimension; empty for those that have nothing. */
    key: z.string().optional(),
    kind: z.enum(['used', 'wasted']).optional(),
    /** `open`: rows of ended jobs whose usage is not known, yet or for ever. */
    usage: z.enum(['known', 'open']).optional(),
    since: daySchema.optional(),
    until: daySchema.optional(),
    tenant: z.string().optional(),
    /** The response at which the page before stopped looking. */
    after: z.string().optional(),
  })
  .refine(...inOrder);
export type WasteRowsQuery = z.infer<typeof wasteRowsQuerySchema>;

export interface WasteRows {
  rows: LedgerRow[];
  /** The response after which the next page begins; null at the end. */
  next: string | null;
  /** How many rows were looked at. */
  looked: number;
}
