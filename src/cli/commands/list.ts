import { Command, Option } from 'commander';
import type { JobSummary, ListFilter } from '../../shared/contract/job.ts';
import { jobStatusSchema } from '../../shared/contract/words.ts';
import { age } from '../../shared/runtime/format.ts';
import { type ClientFlags, withClient } from '../client/with-client.ts';
import { paintStatus } from '../terminal/colour.ts';
import { print, printJson, shortId, withJson } from '../terminal/output.ts';
import { parseCount } from '../terminal/parse.ts';
import { table } from '../terminal/table.ts';

const STATUS_COLUMN = 1;

export function listCommand(): Command {
  return withJson(
    new Command('list')
      .addOption(new Option('--status <status>', 'only jobs with this status').choices(jobStatusSchema.options))
      .option('--tenant <name>', 'only jobs of this tenant')
      .option('--tag <tag>', 'only jobs with this tag')
      .option('--model <name>', 'only jobs for this model')
      .option('--search <text>', 'the beginning of an id, a tag, a model, a tenant, or words of the prompt')
      .option('--since <time>', 'enqueued on this UTC day or later, like 2026-11-21 or 2026-11-21T08:30:00Z')
      .option('--until <time>', 'enqueued on this UTC day or before')
      .option('--cancellation <id>', 'only jobs that this cancellation has cancelled')
      .option('--limit <n>', 'how many jobs to list, at most 1000', parseCount, 50)
      .option('--after <id>', 'the last id of the previous page')
      .action(async ({ json = false, server, ...filter }: ListFilter & ClientFlags & { json?: boolean }) => {
        const jobs = await withClient({ server }, client => client.list(filter));
        if (json) for (const job of jobs) printJson(job);
        else if (jobs.length === 0) print('No jobs.');
        else print(listed(jobs));
      }),
    'headstone list --status running --tag nightly',
    'headstone list --search "tides"',
  );
}

function listed(jobs: JobSummary[]): string {
  return table(
    ['ID', 'STATUS', 'MODEL', 'TENANT', 'AGE', 'TAGS', 'PROMPT'],
    jobs.map(job => [
      shortId(job.id),
      job.status,
      job.model,
      job.tenant,
      age(Math.max(0, Date.now() - job.created_at)),
      job.tags.join(','),
      job.preview ?? '',
    ]),
    { paint: (cell, column) => (column === STATUS_COLUMN ? paintStatus(cell) : cell) },
  );
}
