import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';

/** True where a person at the terminal says yes; Ctrl-C and Ctrl-D are no yes. */
export async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // Older Nodes leave a question open for ever that is closed unanswered.
    const left = once(terminal, 'close').then(() => '');
    const answer = await Promise.race([terminal.question(`${question} [y/N] `), left]);
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    return false;
  } finally {
    terminal.close();
  }
}
