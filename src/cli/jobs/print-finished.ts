import type { Finished } from '../../shared/contract/job.ts';
import type { UpstreamResponse } from '../../shared/contract/response.ts';
import { exitCodes } from '../terminal/exit-codes.ts';
import { print, printJson } from '../terminal/output.ts';

/** Prints the text of a result. An outcome without one is a sentence on standard error and exit code 1. */
export function printFinished(finished: Finished, json: boolean): void {
  if (json) printJson(finished);
  switch (finished.status) {
    case 'completed':
    case 'incomplete':
      if (!json) print(textOf(finished.response));
      return;
    case 'failed':
      process.stderr.write(`Job ${finished.id} failed (${finished.error.code}): ${finished.error.message}\n`);
      break;
    case 'cancelled':
    case 'expired': {
      const { actor, reason } = finished.tombstone;
      const who = actor === null ? '' : ` by ${actor}`;
      process.stderr.write(`Job ${finished.id} was ${finished.status}${who}${reason === null ? '' : `: ${reason}`}\n`);
    }
  }
  process.exitCode = exitCodes.failed;
}

/** The text that the SDKs call `output_text`. */
function textOf(response: UpstreamResponse): string {
  return (response.output ?? [])
    .filter(item => item.type === 'message')
    .flatMap(item => (Array.isArray(item.content) ? (item.content as { type?: string; text?: string }[]) : []))
    .filter(part => part.type === 'output_text')
    .map(part => part.text ?? '')
    .join('');
}
