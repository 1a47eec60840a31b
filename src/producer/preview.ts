const CHARACTERS = 120;

/** How much of a text is looked at. White space at its beginning does not count. */
const MOST_READ = 600;

/** Redis keeps a hash compact while no value has more than 64 bytes (docs/decisions/0029). */
const PIECE_BYTES = 60;

/** A short line of plain words, as it is. */
const plainLine = /^(?=.{1,120}$)[!-~]+(?: [!-~]+)*$/;

/** The beginning of a request's prompt in one line, so that people tell jobs apart; empty if it has no text. */
export function previewOf(input: unknown): string {
  const text = firstText(input);
  if (plainLine.test(text)) return text;
  const line = text
    .trimStart()
    .slice(0, MOST_READ)
    .toWellFormed()
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  const characters = [...line];
  return characters.length <= CHARACTERS ? line : `${characters.slice(0, CHARACTERS - 1).join('')}…`;
}

/** A preview in pieces that are each short enough for a compact hash. Joined, they are the preview. */
export function piecesOf(preview: string): string[] {
  if (preview === '') return [];
  if (Buffer.byteLength(preview) <= PIECE_BYTES) return [preview];
  const pieces = [''];
  let bytes = 0;
  for (const character of preview) {
    const more = Buffer.byteLength(character);
    if (bytes + more > PIECE_BYTES) {
      pieces.push('');
      bytes = 0;
    }
    pieces[pieces.length - 1] += character;
    bytes += more;
  }
  return pieces;
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
