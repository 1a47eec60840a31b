import { z } from 'zod';
import { inOrder } from './days.ts';
import { jobFilterSchema, jobSummarySchema } from './job.ts';
import { jobStatusSchema } from './words.ts';

export const sortSchema = z.enum(['newest', 'oldest', 'longest', 'dearest']);
export type Sort = z.infer<typeof sortSchema>;

/** A page of the jobs' list, for people. */
export const viewQuerySchema = jobFilterSchema
  .extend({
    sort: sortSchema.default('newest'),
    /** The id of the job at which the page before stopped looking. */
    after: z.string().optional(),
  })
  .refine(...inOrder);
export type ViewQuery = z.infer<typeof viewQuerySchema>;

/** A job in the list, with what its responses used as far as that is known. */
export const listedJobSchema = jobSummarySchema.extend({
  /** Why it failed; null if it did not. */
  error_code: z.string().nullable(),
  /** Null while nothing is known of any response. */
  total_tokens: z.number().int().nullable(),
  /** Null if nothing is known, or if no price is. */
  cost_usd_micros: z.number().int().nullable(),
});
export type ListedJob = z.infer<typeof listedJobSchema>;

/** What a view shows. It looks at a bounded number of records, so it may stop before it has found all that match. */
export const jobsViewSchema = z.object({
  jobs: z.array(listedJobSchema),
  /** The id after which the next page begins; null at the end of the list. */
  next: z.string().nullable(),
  /** How many records were looked at. */
  looked: z.number().int(),
  /** How many jobs of each status match the rest of the filter; null if counting them would read too much. */
  counts: z.record(jobStatusSchema, z.number().int()).nullable(),
});
export type JobsView = z.infer<typeof jobsViewSchema>;
