import { Command, Option } from 'commander';
import type { ListFilter } from '../../shared/contract/job.ts';
import { jobStatusSchema } from '../../shared/contract/words.ts';
import { time } from '../../shared/runtime/format.ts';
import { type ClientFlags, withClient } from '../client/with-client.ts';
import { print, printJson, table, withJson } from '../terminal/output.ts';
import { parseCount } from '../terminal/parse.ts';

export function listCommand(): Command {
  return withJson(
    new Command('list')
      .description('list jobs, the newest first')
      .addOption(new Option('--status <status>', 'only jobs with this status').choices(jobStatusSchema.options))
      .option('--tenant <name>', 'only jobs of this tenant')
      .option('--tag <tag>', 'only jobs with this tag')
      .option('--limit <n>', 'how many jobs to list, at most 1000', parseCount, 50)
      .option('--after <id>', 'the last id of the previous page')
      .action(async ({ json = false, server, ...filter }: ListFilter & ClientFlags & { json?: boolean }) => {
        const jobs = await withClient({ server }, client => client.list(filter));
        if (json) for (const job of jobs) printJson(job);
        else if (jobs.length === 0) print('No jobs.');
        else
          print(
            table(
              ['ID', 'STATUS', 'MODEL', 'TENANT', 'CREATED (UTC)', 'TAGS'],
              jobs.map(job => [
                job.id,
                job.status,
                job.model,
                job.tenant,
                time(job.created_at).slice(0, 'YYYY-MM-DD hh:mm:ss'.length),
                job.tags.join(','),
              ]),
            ),
          );
      }),
    'headstone list --status running --tag nightly',
  );
}
