/** JSON.stringify writes one half of an emoji as an escape. */
const loneSurrogate = /\\ud[89a-f]/;

/**
 * The arguments of a script as JSON. Redis' parser refuses half of an emoji, as cutting a text leaves it, and a cancel must not
 * fail because of that. To look for one in the whole text is faster than to look at each value.
 */
export function argumentsText(given: object): string {
  const text = JSON.stringify(given);
  return loneSurrogate.test(text) ? JSON.stringify(JSON.parse(text), wellFormed) : text;
}

function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed() : value;
}
