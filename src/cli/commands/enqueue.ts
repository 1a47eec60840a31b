import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { Command, Option } from 'commander';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { Client } from '../client/client.ts';
import { type ClientFlags, withClient } from '../client/with-client.ts';
import { exitCodes } from '../exit-codes.ts';
import { followText } from '../follow-text.ts';
import { print, printJson, withJson } from '../output.ts';
import { collect, parseCount, parseDuration } from '../parse.ts';
import { printFinished } from '../print-finished.ts';
import { waitForJob } from '../wait-for-job.ts';

interface EnqueueFlags extends ClientFlags {
  model: string;
  file?: string;
  id?: string;
  tenant?: string;
  tag: string[];
  deadline?: number;
  attempts?: number;
  wait?: boolean;
  stream?: boolean;
  cancelOnInterrupt?: boolean;
  json?: boolean;
}

export function enqueueCommand(): Command {
  return withJson(
    new Command('enqueue')
      .description('asks for a background response and prints the id of its job')
      .argument('[prompt]', 'the input; or --file')
      .option('--model <name>', 'the model, or on Azure the deployment', 'gpt-5.5')
      .addOption(new Option('--file <path>', 'one prompt a line, a job each; "-" is standard input').conflicts('id'))
      .option('--id <id>', 'makes a repeat of the same request harmless')
      .option('--tenant <name>', 'whose job it is')
      .option('--tag <tag>', 'to find and sum by; may be repeated', collect, [])
      .option('--deadline <duration>', 'like 15m or 24h', parseDuration)
      .option('--attempts <n>', 'paid launches, the first included', parseCount)
      .option('--wait', 'wait for the outcome, and print the text')
      .option('--stream', 'print the text as it comes; it waits too')
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
    ...(flags.id === undefined ? {} : { id: flags.id }),
    ...(flags.tenant === undefined ? {} : { tenant: flags.tenant }),
    ...(flags.deadline === undefined ? {} : { deadlineMs: flags.deadline }),
    ...(flags.attempts === undefined ? {} : { attempts: flags.attempts }),
  };
  const jobs = prompts.map(input => ({
    request: { model: flags.model, input, ...(flags.stream ? { stream: true } : {}) },
    options,
  }));
  for (const { id, status, error } of await client.enqueueMany(jobs)) {
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

async function readPrompts(prompt: string | undefined, file: string | undefined): Promise<string[]> {
  if (file === undefined) {
    if (prompt === undefined)
      throw new HeadstoneError(
        'invalid_request',
        'There is no prompt: give it in quotes, or a file of prompts by --file.',
      );
    return [prompt];
  }
  if (prompt !== undefined)
    throw new HeadstoneError('invalid_request', 'A prompt and --file were given: choose one of them.');
  const text = file === '-' ? await readAll(process.stdin) : await readFileText(file);
  const prompts = text.split('\n').filter(line => line.trim() !== '');
  if (prompts.length === 0) throw new HeadstoneError('invalid_request', `The file ${file} holds no prompt.`);
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
