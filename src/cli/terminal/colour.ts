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

/** Node leaves the colours out where no terminal is, and heeds NO_COLOR and FORCE_COLOR. */
function paint(style: Style | undefined, text: string): string {
  return style === undefined ? text : styleText(style, text, { stream: process.stdout });
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
