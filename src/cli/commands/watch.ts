import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { sentence } from '../../shared/runtime/story.ts';
import type { Client } from '../client/client.ts';
import { withClient } from '../client/with-client.ts';
import { type FollowFlags, followText } from '../jobs/follow-text.ts';
import { withJson } from '../terminal/output.ts';

const POLL_MS = 300;

export function watchCommand(): Command {
  return withJson(
    new Command('watch')
      .argument('<id>')
      .option('--cancel-on-interrupt', 'Ctrl-C cancels the job without asking')
      .action(async (id: string, flags: FollowFlags) => {
        await withClient(flags, async client => {
          const ended = new AbortController();
          const telling = flags.json ? Promise.resolve() : tellWhatHappens(client, id, ended.signal);
          try {
            await followText(client, id, flags);
          } finally {
            ended.abort();
            await telling;
          }
        });
      }),
    'headstone watch resp_0123456789abcdef',
  );
}

/** Prints each entry of the timeline once. */
async function tellWhatHappens(client: Client, id: string, ended: AbortSignal): Promise<void> {
  let told = 0;
  for (;;) {
    const isLast = ended.aborted;
    const job = await client.get(id).catch(() => null);
    for (const entry of job?.timeline.slice(told) ?? []) {
      told += 1;
      process.stderr.write(`${new Date(entry.at).toISOString().slice(11, 19)} UTC  ${sentence(entry)}\n`);
    }
    if (isLast) return;
    await sleep(POLL_MS, undefined, { signal: ended }).catch(() => {});
  }
}
