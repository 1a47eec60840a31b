/**
 * The declarations that a body of Lua needs, with those that they need themselves.
 *
 * Redis runs the whole text of a script each time, and a function takes as long to declare as a small command to run, whether
 * it is called or not (docs/decisions/0032). So a script carries only what it can reach. A declaration begins with `local` at
 * the beginning of a line and ends before the next one. It is kept if its name occurs anywhere in what is kept.
 */
export function prune(declarations: string, body: string): string {
  const declared = withoutComments(declarations).split(/^(?=local )/m);
  const names = declared.map(text => /^local (?:function )?(\w+)/.exec(text)?.[1]);
  const kept = new Set<number>();
  const reached = [body];
  for (let text = reached.pop(); text !== undefined; text = reached.pop()) {
    const words = new Set(text.match(/\w+/g));
    for (const [position, name] of names.entries()) {
      if (kept.has(position) || (name !== undefined && !words.has(name))) continue;
      kept.add(position);
      reached.push(declared[position] as string);
    }
  }
  return declared.filter((_, position) => kept.has(position)).join('');
}

function withoutComments(lua: string): string {
  return lua.replace(/^ *--.*\n/gm, '');
}
