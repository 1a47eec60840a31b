import { Command } from 'commander';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import { heldLaunches } from '../../shared/contract/holds.ts';
import type { Job } from '../../shared/contract/job.ts';
import { time, usd } from '../../shared/runtime/format.ts';
import { type ClientFlags, commandLine, withClient } from '../client/with-client.ts';
import { print, printJson, withJson } from '../terminal/output.ts';

export function getCommand(): Command {
  return withJson(
    new Command('get')
      .description('show a job’s record: its status, what happened, and what it cost')
      .argument('<id>')
      .action(async (id: string, { json = false, server }: ClientFlags & { json?: boolean }) => {
        const job = await withClient({ server }, client => client.get(id));
        if (!job) throw new HeadstoneError('job_not_found', `There is no job ${id}.`);
        if (json) printJson(job);
        else printJob(job, { server });
      }),
    'headstone get resp_0123456789abcdef0123456789abcdef',
  );
}

function printJob(job: Job, flags: ClientFlags): void {
  print(`${job.id}  ${job.status}`);
  print(`model ${job.model} · tenant ${job.tenant}${job.tags.length > 0 ? ` · tags ${job.tags.join(', ')}` : ''}`);
  if (job.outcome?.error) print(`${job.outcome.error.code}: ${job.outcome.error.message}`);
  if (job.held_by !== null)
    print(`held back with ${heldLaunches(job.held_by)}; "${commandLine('status', flags)}" says why`);
  print();
  for (const { at, event, ...rest } of job.timeline)
    print(
      `${time(at)}  ${event}${Object.entries(rest)
        .map(([name, value]) => `  ${name}=${String(value)}`)
        .join('')}`,
    );
  for (const row of job.ledger)
    print(
      `\n${row.response_id}: ${row.kind ?? 'undecided'}, usage ${row.status}, ${row.usage?.total_tokens ?? '?'} tokens, ${row.status === 'final' ? usd(row.cost_usd_micros) : 'cost not known yet'}`,
    );
}
