import { visit } from 'jsonc-parser';

interface Member {
  name: string;
  /** The value as it was written. */
  value: string;
}

/**
 * The members of a JSON object as they were written, by their names. A body that goes through us must arrive as it was
 * sent: JavaScript would turn 9223372036854775807 into 9223372036854776000 and put number-like keys first. Where a name
 * comes twice the last one counts, as every parser has it, and the others are left out.
 */
export function membersOf(text: string): Map<string, string> {
  const members = new Map<string, string>();
  for (const { name, value } of readMembers(text)) {
    members.delete(name);
    members.set(name, value);
  }
  return members;
}

/** The object with some members replaced or added, each given as JSON; undefined leaves one out. */
export function withMembers(text: string, changes: Record<string, string | undefined>): string {
  const members = membersOf(text);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) members.delete(name);
    else members.set(name, value);
  }
  return `{${[...members].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}

function readMembers(text: string): Member[] {
  const members: Member[] = [];
  let name: string | undefined;
  let startedAt = 0;
  const begin = (offset: number) => {
    startedAt = offset;
    return false;
  };
  const end = (offset: number, length: number) => {
    if (name !== undefined) members.push({ name, value: text.slice(startedAt, offset + length) });
    name = undefined;
  };
  visit(
    text,
    {
      // The members of the outermost object are visited, and nothing inside of them.
      onObjectBegin: offset => (name === undefined && members.length === 0 && isFirst(text, offset)) || begin(offset),
      onArrayBegin: begin,
      onObjectProperty: property => {
        name = property;
      },
      onLiteralValue: (_value, offset, length) => {
        startedAt = offset;
        end(offset, length);
      },
      onArrayEnd: end,
      onObjectEnd: end,
    },
    { disallowComments: true },
  );
  return members;
}

function isFirst(text: string, offset: number): boolean {
  return text.slice(0, offset).trim() === '';
}
