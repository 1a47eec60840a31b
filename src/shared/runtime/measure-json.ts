/** The most that is told of a field's name. */
export const LONGEST_NAME = 64;

const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const OPENING = new Set([91, 123]);
const CLOSING = new Set([93, 125]);

interface Measure {
  depth: number;
  values: number;
  /** The field of the outermost object that was met last. */
  field: string;
}

/** Measures a text in JSON without reading it. It stops where the depth or the number of values is too much. */
export function measureJson(text: string, mostNesting: number, mostValues: number): Measure {
  let depth = 0;
  let deepest = 0;
  let values = 1;
  let inString = false;
  // The position after the last brace or comma of the outermost object, where a field's name begins.
  let nameAt = 0;
  for (let position = 0; position < text.length; position += 1) {
    const code = text.charCodeAt(position);
    if (inString) {
      if (code === BACKSLASH) position += 1;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (code === COMMA) {
      values += 1;
      if (depth === 1) nameAt = position + 1;
    } else if (OPENING.has(code)) {
      depth += 1;
      values += 1;
      deepest = Math.max(deepest, depth);
      if (depth === 1) nameAt = position + 1;
    } else if (CLOSING.has(code)) depth -= 1;
    if (deepest > mostNesting || values > mostValues) break;
  }
  const name = /^\s*"([\w-]*)"/.exec(text.slice(nameAt, nameAt + 2 * LONGEST_NAME));
  return { depth: deepest, values, field: name?.[1] ?? '' };
}

/** True if a text in JSON is nested deeper than this. */
export function isDeeper(text: string, levels: number): boolean {
  // Each level begins with a bracket, and few texts have so many of them.
  const braces = countOf('{', text, levels);
  if (braces + countOf('[', text, levels - braces) <= levels) return false;
  return measureJson(text, levels, Number.POSITIVE_INFINITY).depth > levels;
}

/** How often a character is in a text. It stops counting where there are more than `most`. */
function countOf(character: string, text: string, most: number): number {
  let count = 0;
  for (let at = text.indexOf(character); at !== -1 && count <= most; at = text.indexOf(character, at + 1)) count += 1;
  return count;
}
