/**
 * The members of a JSON object by name, each as the text that was written. A body that is passed on must arrive unchanged, but
 * JavaScript would turn 9223372036854775807 into 9223372036854776000 and put keys that are numbers first. If a name comes
 * twice the last one counts, as in every parser. The text has to be one that `JSON.parse` reads as an object.
 */
export function membersOf(text: string): Map<string, string> {
  const members = new Map<string, string>();
  for (const part of partsOf(text)) {
    const colon = endOfString(part, part.indexOf('"')) + 1;
    const name = JSON.parse(part.slice(0, colon)) as string;
    members.delete(name);
    members.set(name, part.slice(part.indexOf(':', colon) + 1).trim());
  }
  return members;
}

/** The object with some members replaced or added. Each is given as JSON; undefined removes it. */
export function withMembers(text: string, changes: Record<string, string | undefined>): string {
  const members = membersOf(text);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) members.delete(name);
    else members.set(name, value);
  }
  return `{${[...members].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}

const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const OPENING = new Set([91, 123]);
const CLOSING = new Set([93, 125]);

/** The texts between the commas of the outermost object. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let startedAt = text.indexOf('{') + 1;
  for (let position = startedAt - 1; position < text.length; position += 1) {
    const code = text.charCodeAt(position);
    if (code === QUOTE) position = endOfString(text, position);
    else if (OPENING.has(code)) depth += 1;
    else if (CLOSING.has(code)) depth -= 1;
    const isEnd = depth === 0 || (depth === 1 && code === COMMA);
    if (!isEnd) continue;
    parts.push(text.slice(startedAt, position));
    if (depth === 0) break;
    startedAt = position + 1;
  }
  return parts.filter(part => part.trim() !== '');
}

/** Where the string ends that begins at a quotation mark. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

function isEscaped(text: string, position: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(position - 1 - backslashes) === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}
