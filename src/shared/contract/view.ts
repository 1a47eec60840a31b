import { z } from 'zod';
import { inOrder } from './days.ts';
import { type JobSummary, jobFilterSchema } from './job.ts';
import type { JobStatus } from './words.ts';

const sortSchema = z.enum(['newest', 'oldest', 'longest', 'dearest']);
export type Sort = z.infer<typeof sortSchema>;

/** A page of the jobs' list, for people. */
export const viewQuerySchema = jobFilterSchema
  .extend({
    sort: sortSchema.default('newest'),
    /** Where the page before stopped looking, or the id of a job. */
    after: z.string().optional(),
  })
  .refine(...inOrder);
export type ViewQuery = z.infer<typeof viewQuerySchema>;

/** A job in the list, with what its responses used. */
export interface ListedJob extends JobSummary {
  /** Why it failed; null if it did not. */
  error_code: string | null;
  /** Null while nothing is known of any response. */
  total_tokens: number | null;
  /** In millionths of a dollar; null if nothing is known, or if no price is. */
  cost_usd_micros: number | null;
  /** False if these two say only what is known so far. */
  is_whole: boolean;
  is_priced: boolean;
}

/** What a view shows. It looks at a bounded number of records, so it may stop before it has found all that match. */
export interface JobsView {
  jobs: ListedJob[];
  /** Where the next page begins; null at the end of the list. */
  next: string | null;
  /** How many records were looked at, of those that the caller may see. */
  looked: number;
  /** How many jobs of each status match the rest of the filter; null if counting them would read too much. */
  counts: Record<JobStatus, number> | null;
}
