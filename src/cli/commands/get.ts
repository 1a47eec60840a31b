import { Command } from 'commander';
import type { Depths } from '../../shared/contract/depths.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { Job } from '../../shared/contract/job.ts';
import { span, time } from '../../shared/runtime/format.ts';
import { outcomeSentence } from '../../shared/runtime/outcome-sentence.ts';
import { answerOf, answerText } from '../../shared/runtime/readable.ts';
import { repetition, tellStory } from '../../shared/runtime/story.ts';
import { type ClientFlags, commandLine, withClient } from '../client/with-client.ts';
import { whyQueued } from '../jobs/why-queued.ts';
import { bold, faint, paintStatus } from '../terminal/colour.ts';
import { beside, print, printJson, printProse, withJson } from '../terminal/output.ts';

export function getCommand(): Command {
  return withJson(
    new Command('get')
      .argument('<id>')
      .action(async (id: string, { json = false, server }: ClientFlags & { json?: boolean }) => {
        await withClient({ server }, async client => {
          const job = await client.get(id);
          if (!job) throw new HeadstoneError('job_not_found', `There is no job ${id}.`);
          if (json) printJson(job);
          // Only admins may read what keeps it back.
          else printJob(job, job.status === 'queued' ? await client.depths().catch(() => null) : null, { server });
        });
      }),
    'headstone get resp_0123456789abcdef0123456789abcdef',
  );
}

/** Tells what the job's page tells, in the same sentences. */
function printJob(job: Job, depths: Depths | null, flags: ClientFlags): void {
  print(`${bold(job.id)}  ${paintStatus(job.status)}`);
  print(`model ${job.model} · tenant ${job.tenant}${job.tags.length > 0 ? ` · tags ${job.tags.join(', ')}` : ''}`);
  if (job.preview !== null) printProse(faint(job.preview));
  print();
  printProse(outcomeSentence(job, Date.now()));
  if (job.outcome?.error) print(`Code: ${job.outcome.error.code}`);
  if (depths && (job.held_by === null || depths.launch_paused)) {
    const { because, next } = whyQueued(job, depths, flags);
    printProse(`It waits, because ${because}`);
    if (next) print(next);
  }
  if (job.held_by !== null) print(`To see the hold: ${commandLine('holds', flags)}`);
  print();
  const lines = tellStory(job.timeline);
  const first = lines[0]?.at ?? 0;
  for (const line of lines) {
    const when = line.at === first ? `${time(line.at).slice(0, 19)} UTC` : `+${span(line.at - first)}`;
    const again = repetition(line);
    print(beside(faint(when.padStart(23)), `${line.text}${again === '' ? '' : ` ${again}.`}`));
  }
  const answer = job.response ? answerText(job.response) : '';
  if (answer !== '') print(`\n${answer}`);
  // A model that only calls tools says nothing in words.
  else for (const { title, text } of answerOf(job.response ?? {})) print(`\n${faint(title)}\n${text}`);
}
