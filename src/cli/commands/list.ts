import { Command, Option } from 'commander';
import type { ListFilter } from '../../shared/contract/job.ts';
import { jobStatusSchema } from '../../shared/contract/words.ts';
import { time } from '../../shared/runtime/format.ts';
import { type ClientFlags, withClient } from '../client/with-client.ts';
import { print, printJson, table, withJson } from '../output.ts';
import { parseCount } from '../parse.ts';

export function listCommand(): Command {
  return withJson(
    new Command('list')
      .description('jobs, the newest first')
      .addOption(new Option('--status <status>').choices(jobStatusSchema.options))
      .option('--tenant <name>', 'only of this tenant')
      .option('--tag <tag>', 'only with this tag')
      .option('--limit <n>', 'at most 1000', parseCount, 50)
      .option('--after <id>', 'the last id of the page before')
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
