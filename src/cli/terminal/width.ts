import { createRequire } from 'node:module';

/** Both packages take a twentieth of a second to load, so only a text that needs them loads them. */
const load = createRequire(import.meta.url);

/** How many columns a text takes. That of printable ASCII is its length. */
export function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  return (load('string-width') as typeof import('string-width')).default(text);
}

/** Breaks prose between words, and gives every line the indent of the first. */
export function wrapped(text: string, width: number): string {
  const indent = /^ */.exec(text)?.[0] ?? '';
  const wrapAnsi = (load('wrap-ansi') as typeof import('wrap-ansi')).default;
  return wrapAnsi(text.trimStart(), width - indent.length).replaceAll(/^(?=.)/gm, indent);
}
