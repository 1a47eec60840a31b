import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Terminal } from '@xterm/headless';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const COLUMNS = 140;
const ROWS = 60;

export interface Shown {
  code: number;
  /** The screen after each chunk of output. */
  pictures: string[];
}

/**
 * Runs a CLI command in a terminal: script(1) of util-linux provides it, and xterm draws what a person would see.
 * The text that `type` returns for a screen is typed.
 */
export async function atTerminal(
  command: string,
  env: Record<string, string>,
  type: (picture: string) => string | undefined = () => undefined,
): Promise<Shown> {
  const terminal = new Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
  const sized = `stty cols ${COLUMNS} rows ${ROWS}; exec ${process.execPath} ${main} ${command}`;
  const child = spawn('script', ['--quiet', '--return', '--command', sized, '/dev/null'], {
    env: { ...process.env, HEADSTONE_LIVE: '', TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const pictures: string[] = [];
  child.stdout.on('data', (chunk: Buffer) =>
    terminal.write(chunk, () => {
      const picture = pictureOf(terminal);
      pictures.push(picture);
      const keys = type(picture);
      if (keys !== undefined) child.stdin.write(keys);
    }),
  );
  const [code] = (await once(child, 'close')) as [number];
  await new Promise<void>(resolve => terminal.write('', resolve));
  return { code, pictures };
}

function pictureOf({ buffer }: Terminal): string {
  const lines = Array.from({ length: buffer.active.length }, (_, line) => buffer.active.getLine(line));
  return lines.map(line => line?.translateToString(true) ?? '').join('\n');
}
