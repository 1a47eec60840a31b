const CHARACTERS = 120;

/** Text beyond this cannot be among the first characters, whatever its white space. */
const MOST_READ = 4000;

/** Redis keeps a hash compact while no value has more than 64 bytes (docs/decisions/0029). */
const PIECE_BYTES = 60;

/** The beginning of a request's prompt in one line, so that people tell jobs apart; empty if it has no text. */
export function previewOf(input: unknown): string {
  const line = firstText(input)
    .slice(0, MOST_READ)
    .toWellFormed()
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  const characters = [...line];
  return characters.length <= CHARACTERS ? line : `${characters.slice(0, CHARACTERS - 1).join('')}…`;
}

/** A preview in pieces that are each short enough for a compact hash. Joined, they are the preview. */
export function piecesOf(preview: string): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const character of preview) {
    if (Buffer.byteLength(piece + character) > PIECE_BYTES) {
      pieces.push(piece);
      piece = '';
    }
    piece += character;
  }
  return piece === '' ? pieces : [...pieces, piece];
}

/** The text of an input: itself, or the first text of a user among its items, or else the first text of anybody. */
function firstText(input: unknown): string {
  if (typeof input === 'string') return input;
  if (!Array.isArray(input)) return '';
  const items = input.filter((item): item is Record<string, unknown> => typeof item === 'object' && item !== null);
  const ofUser = items.filter(({ role }) => role === 'user');
  return [...ofUser, ...items].map(({ content }) => textOf(content)).find(text => text.trim() !== '') ?? '';
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  const part = content.find(one => typeof one?.text === 'string' && one.text.trim() !== '');
  return part?.text ?? '';
}
