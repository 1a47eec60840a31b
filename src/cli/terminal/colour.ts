import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

const styles: Record<string, Style> = {
  launching: 'blue',
  running: 'blue',
  completed: 'green',
  failed: 'red',
  cancelled: 'yellow',
  expired: 'yellow',
};

/** True where a person sees colours: at a terminal, unless NO_COLOR is set. FORCE_COLOR asks for them anywhere. */
function hasColour(): boolean {
  if (process.env.NO_COLOR) return false;
  return Boolean(process.env.FORCE_COLOR) || (process.stdout.isTTY && process.env.TERM !== 'dumb');
}

function paint(style: Style | undefined, text: string): string {
  return style !== undefined && hasColour() ? styleText(style, text, { validateStream: false }) : text;
}

/** A status in its colour. Spaces around it stay. */
export function paintStatus(text: string): string {
  return paint(styles[text.trim()], text);
}

export function bold(text: string): string {
  return paint('bold', text);
}

export function faint(text: string): string {
  return paint('dim', text);
}
