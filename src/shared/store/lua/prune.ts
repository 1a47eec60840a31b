interface Declaration {
  text: string;
  /** Undefined for what stands before the first declaration. It is always kept. */
  name: string | undefined;
  names: Names;
}

/** The names in a piece of Lua that may be those of declarations. */
interface Names {
  plain: ReadonlySet<string>;
  /** Those that are written `rare.NAME`. */
  rare: ReadonlySet<string>;
}

/** The declarations of each part. Every script has the same parts, and each process makes all scripts when it starts. */
const known = new Map<string, Declaration[]>();

/**
 * A body of Lua with the declarations that it needs, and those that they need themselves.
 *
 * Redis runs the whole text of a script each time, and a function takes as long to declare as a small command to run, whether
 * it is called or not (docs/decisions/0032). So a script carries only what it can reach, and what it reaches only by
 * `rare.NAME` is declared when it is first asked for (docs/decisions/0034). A declaration begins with `local` at the beginning
 * of a line and ends before the next one. No two declarations may have the same name.
 */
export function prune(parts: string[], body: string): string {
  const declared = parts.flatMap(declarationsIn);
  const begin = namesIn(body);
  const ordinary = reach(declared, begin, ({ plain }) => [...plain]);
  const all = reach(declared, begin, ({ plain, rare }) => [...plain, ...rare]);
  const asked = new Set([begin, ...[...all].map(({ names }) => names)].flatMap(({ rare }) => [...rare]));
  const seldom = declared.filter(one => all.has(one) && !ordinary.has(one));
  const offered = seldom.flatMap(({ name }) => (name !== undefined && asked.has(name) ? [name] : []));
  const lua = [
    ...(offered.length > 0 ? ['local rare = {}\n'] : []),
    ...declared.filter(one => ordinary.has(one)).map(({ text }) => text),
    ...(offered.length > 0 ? [declaredLater(seldom, offered)] : []),
    body,
  ].join('');
  // What this script reaches in the ordinary way too is called in the ordinary way.
  return lua.replace(/\brare\.(\w+)/g, (call, name: string) => (offered.includes(name) ? call : name));
}

function declaredLater(seldom: Declaration[], offered: string[]): string {
  return `setmetatable(rare, {__index = function(_, name)
${seldom.map(({ text }) => text).join('')}
${offered.map(name => `rare.${name} = ${name}`).join('\n')}
return rawget(rare, name)
end})
`;
}

/** The declarations that a piece of Lua reaches by the names that count, and those that these reach. */
function reach(declared: Declaration[], begin: Names, counted: (names: Names) => string[]): ReadonlySet<Declaration> {
  const kept = new Set(declared.filter(({ name }) => name === undefined));
  const reached = [begin, ...[...kept].map(({ names }) => names)];
  for (let names = reached.pop(); names !== undefined; names = reached.pop()) {
    const wanted = new Set(counted(names));
    for (const declaration of declared) {
      if (kept.has(declaration) || declaration.name === undefined || !wanted.has(declaration.name)) continue;
      kept.add(declaration);
      reached.push(declaration.names);
    }
  }
  return kept;
}

function declarationsIn(part: string): Declaration[] {
  const before = known.get(part);
  if (before) return before;
  const found = withoutComments(part)
    .split(/^(?=local )/m)
    .map(text => ({ text, name: /^local (?:function )?(\w+)/.exec(text)?.[1], names: namesIn(text) }));
  known.set(part, found);
  return found;
}

/** A name in a string, or of a field, is no declaration's. */
function namesIn(lua: string): Names {
  const code = withoutComments(lua).replace(/'[^'\n]*'|"[^"\n]*"/g, "''");
  const rare = new Set([...code.matchAll(/\brare\.(\w+)/g)].map(([, name]) => name as string));
  return { rare, plain: new Set(code.replace(/(?<!\.)\.\w+/g, '').match(/\w+/g)) };
}

function withoutComments(lua: string): string {
  return lua.replace(/^ *--.*\n/gm, '');
}
