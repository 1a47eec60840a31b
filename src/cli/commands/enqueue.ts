import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { Command, Option } from 'commander';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import { heldLaunches, holdAdvice } from '../../shared/contract/holds.ts';
import { DEFAULT_TENANT } from '../../shared/contract/words.ts';
import { within } from '../../shared/runtime/within.ts';
import type { Client } from '../client/client.ts';
import { type ClientFlags, commandLine, withClient } from '../client/with-client.ts';
import { followText } from '../jobs/follow-text.ts';
import { printFinished } from '../jobs/print-finished.ts';
import { waitForJob } from '../jobs/wait-for-job.ts';
import { exitCodes } from '../terminal/exit-codes.ts';
import { print, printJson, say, withJson } from '../terminal/output.ts';
import { collect, parseCount, parseDuration } from '../terminal/parse.ts';

/** How long a warning may keep a caller waiting whose jobs are enqueued. */
const WARNING_MS = 1000;

interface EnqueueFlags extends ClientFlags {
  model: string;
  file?: string;
  id?: string;
  tenant?: string;
  tag: string[];
  deadline?: number;
  callbackUrl?: string;
  attempts?: number;
  wait?: boolean;
  stream?: boolean;
  cancelOnInterrupt?: boolean;
  json?: boolean;
}

export function enqueueCommand(): Command {
  return withJson(
    new Command('enqueue')
      .argument('[prompt]', 'the input; or use --file')
      .option('--model <name>', 'the model, or on Azure the deployment', 'gpt-5.5')
      .addOption(
        new Option(
          '--file <path>',
          'a file with one prompt per line, each of which becomes a job; "-" is standard input',
        ).conflicts('id'),
      )
      .option('--id <id>', 'the job’s id, which makes enqueueing the same request again harmless')
      .option('--tenant <name>', 'the tenant that the job belongs to')
      .option('--tag <tag>', 'a tag to find jobs and sum waste by; may be repeated', collect, [])
      .option('--deadline <duration>', 'how long the job may take, like 15m or 24h', parseDuration)
      .option('--callback-url <url>', 'a URL that gets a signed message about the outcome')
      .option('--attempts <n>', 'how many launches the job may pay for', parseCount)
      .option('--wait', 'wait for the outcome and print the text')
      .option('--stream', 'print the text as it comes')
      .option('--cancel-on-interrupt', 'with --stream: Ctrl-C cancels the job without asking')
      .action(async (prompt: string | undefined, flags: EnqueueFlags) => {
        const prompts = await readPrompts(prompt, flags.file);
        await withClient(flags, client => enqueue(client, prompts, flags));
      }),
    'headstone enqueue "Write a report on tides" --tag nightly --wait',
    'headstone enqueue "Write a report on tides" --stream',
    'headstone enqueue --file prompts.txt --model gpt-5-mini',
  );
}

async function enqueue(client: Client, prompts: string[], flags: EnqueueFlags): Promise<void> {
  const options = {
    tags: flags.tag,
    id: flags.id,
    tenant: flags.tenant,
    deadlineMs: flags.deadline,
    callbackUrl: flags.callbackUrl,
    attempts: flags.attempts,
  };
  const jobs = prompts.map(input => ({
    request: { model: flags.model, input, ...(flags.stream ? { stream: true } : {}) },
    options,
  }));
  const enqueued = await client.enqueueMany(jobs);
  if (enqueued.some(({ error }) => error === null)) await warnIfHeld(client, flags);
  for (const { id, status, error } of enqueued) {
    if (error) {
      process.stderr.write(`${error.message}\n`);
      process.exitCode = exitCodes.failed;
    } else if (flags.stream) await followText(client, id, flags);
    else if (flags.json && !flags.wait) printJson({ id, status });
    else if (!flags.wait) print(id);
    else {
      const finished = await waitForJob(client, id, { server: flags.server });
      if (!finished) return;
      printFinished(finished, flags.json ?? false);
    }
  }
}

/** Says on standard error that the jobs will wait. Only admins may read why, and it is no reason to fail. */
async function warnIfHeld(client: Client, flags: EnqueueFlags): Promise<void> {
  const depths = await within(WARNING_MS, client.depths()).catch(() => null);
  if (depths?.launch_paused)
    process.stderr.write(`Launching is paused, so new jobs wait.\nTo resume: ${commandLine('resume launch', flags)}\n`);
  const model = `model:${flags.model}`;
  const met = ['account', model, `tenant:${flags.tenant ?? DEFAULT_TENANT}|${model}`];
  for (const [scope, code] of Object.entries(depths?.holds ?? {}))
    if (met.includes(scope)) say(`Held: ${heldLaunches(scope)} (${code}), so new jobs wait. ${holdAdvice(code)}`);
}

async function readPrompts(prompt: string | undefined, file: string | undefined): Promise<string[]> {
  if (file === undefined) {
    if (prompt === undefined)
      throw new HeadstoneError(
        'invalid_request',
        'There is no prompt. Give it in quotes, or give a file of prompts with --file.',
      );
    return [prompt];
  }
  if (prompt !== undefined)
    throw new HeadstoneError('invalid_request', 'A prompt and --file were given. Choose one of them.');
  const text = file === '-' ? await readAll(process.stdin) : await readFileText(file);
  const prompts = text.split('\n').filter(line => line.trim() !== '');
  if (prompts.length === 0) throw new HeadstoneError('invalid_request', `The file ${file} has no prompt in it.`);
  return prompts;
}

async function readFileText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new HeadstoneError('invalid_request', `The file ${file} could not be read (${code}).`);
  }
}
