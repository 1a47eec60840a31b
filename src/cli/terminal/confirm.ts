import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';

/** Asks a person at the terminal. Ctrl-C and Ctrl-D mean no. */
export async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // In older versions of Node a question that is closed unanswered never ends.
    const left = once(terminal, 'close').then(() => '');
    const answer = await Promise.race([terminal.question(`${question} [y/N] `), left]);
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    return false;
  } finally {
    terminal.close();
  }
}
