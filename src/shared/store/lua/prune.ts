interface Declaration {
  text: string;
  /** Undefined for what stands before the first declaration. It is always kept. */
  name: string | undefined;
  words: ReadonlySet<string>;
}

/** The declarations of each part. Every script has the same parts, and each process makes all scripts when it starts. */
const known = new Map<string, Declaration[]>();

/**
 * The declarations that a body of Lua needs, with those that they need themselves.
 *
 * Redis runs the whole text of a script each time, and a function takes as long to declare as a small command to run, whether
 * it is called or not (docs/decisions/0032). So a script carries only what it can reach. A declaration begins with `local` at
 * the beginning of a line and ends before the next one. It is kept if its name occurs anywhere in what is kept.
 */
export function prune(parts: string[], body: string): string {
  const declared = parts.flatMap(declarationsIn);
  const kept = new Set<Declaration>(declared.filter(({ name }) => name === undefined));
  const reached = [wordsIn(body), ...[...kept].map(({ words }) => words)];
  for (let words = reached.pop(); words !== undefined; words = reached.pop())
    for (const declaration of declared) {
      if (kept.has(declaration) || declaration.name === undefined || !words.has(declaration.name)) continue;
      kept.add(declaration);
      reached.push(declaration.words);
    }
  return declared
    .filter(declaration => kept.has(declaration))
    .map(({ text }) => text)
    .join('');
}

function declarationsIn(part: string): Declaration[] {
  const before = known.get(part);
  if (before) return before;
  const found = withoutComments(part)
    .split(/^(?=local )/m)
    .map(text => ({ text, name: /^local (?:function )?(\w+)/.exec(text)?.[1], words: wordsIn(text) }));
  known.set(part, found);
  return found;
}

function wordsIn(lua: string): ReadonlySet<string> {
  return new Set(lua.match(/\w+/g));
}

function withoutComments(lua: string): string {
  return lua.replace(/^ *--.*\n/gm, '');
}
