import type { Finished } from '../../shared/contract/job.ts';
import { howRefused } from '../../shared/runtime/outcome-sentence.ts';
import { answerText } from '../../shared/runtime/readable.ts';
import { exitCodes } from '../terminal/exit-codes.ts';
import { print, printJson } from '../terminal/output.ts';

/** Prints the text of a result. An outcome without one is a sentence on standard error and exit code 1. */
export function printFinished(finished: Finished, json: boolean): void {
  if (json) printJson(finished);
  switch (finished.status) {
    case 'completed':
    case 'incomplete':
      if (!json) print(answerText(finished.response));
      if (finished.status === 'incomplete')
        process.stderr.write(`Job ${finished.id} ended as incomplete: its result is cut short.\n`);
      return;
    case 'failed':
      process.stderr.write(`Job ${finished.id} failed (${finished.error.code}): ${finished.error.message}\n`);
      break;
    case 'cancelled':
    case 'expired': {
      const { actor, reason } = finished.tombstone;
      const who = actor === null ? '' : ` by ${actor}`;
      process.stderr.write(
        `Job ${finished.id} ${howRefused(finished.status)}${who}${reason === null ? '' : `: ${reason}`}\n`,
      );
    }
  }
  process.exitCode = exitCodes.failed;
}
