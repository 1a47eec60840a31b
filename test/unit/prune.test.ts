import { expect, test } from 'vitest';
import { prune } from '../../src/shared/store/lua/prune.ts';
import { scripts } from '../../src/shared/store/scripts.ts';

const declarations = `local one = 1

-- Calls two, says the comment of three.
local function two(a)
  local inner = a
  return inner + one
end

local table = {
  a = 1,
}

local function three() return two(3) end
`;

test('a body gets what it calls, and what that calls in turn, in the order in which it was declared', () => {
  expect(prune([declarations], 'return three()')).toBe(
    `local one = 1

local function two(a)
  local inner = a
  return inner + one
end

local function three() return two(3) end
return three()`,
  );
  expect(prune([declarations], 'return table.a')).toBe('local table = {\n  a = 1,\n}\n\nreturn table.a');
  expect(prune([declarations], 'return 0')).toBe('return 0');
});

test('what is reached only by `rare` is declared when it is first asked for, and what a script reaches anyhow is called as usual', () => {
  const parts = ['local one = 1\nlocal function two() return one end\nlocal function three() return rare.two() end\n'];
  expect(prune(parts, 'return three()')).toBe(`local rare = {}
local function three() return rare.two() end
setmetatable(rare, {__index = function(_, name)
local one = 1
local function two() return one end

rare.two = two
return rawget(rare, name)
end})
return three()`);
  expect(prune(parts, 'return two() + three()')).toBe(
    'local one = 1\nlocal function two() return one end\nlocal function three() return two() end\nreturn two() + three()',
  );
});

test('a name in a string, or of a field, reaches nothing', () => {
  const parts = ['local one = 1\nlocal two = {}\n'];
  expect(prune(parts, 'return two.one .. \'one\' .. "one"')).toBe('local two = {}\nreturn two.one .. \'one\' .. "one"');
});

/** What Redis gives Lua, as far as the scripts call it. */
const given = new Set('error ipairs next pairs pcall rawget setmetatable tonumber tostring type unpack'.split(' '));
const words = new Set('and elseif for function if in local not or return then until while'.split(' '));

/** The names that a script calls or lets another function call. */
function called(lua: string): string[] {
  const code = lua.replace(/--.*$/gm, '').replace(/'[^'\n]*'|"[^"\n]*"/g, "''");
  return [...code.matchAll(/(?<![.:\w])(\w+)\(/g)].map(([, name]) => name as string).filter(name => !words.has(name));
}

test.each(Object.entries(scripts))(
  '%s declares each function that it calls, and none that it does not',
  (_, { lua }) => {
    const declared = [...lua.matchAll(/local function (\w+)/g)].map(([, name]) => name as string);
    const parameters = [...lua.matchAll(/function \w*\(([^)]*)\)/g)].flatMap(([, names]) => names?.split(', ') ?? []);
    for (const name of called(lua)) expect([...declared, ...parameters, ...given]).toContain(name);
    for (const name of declared) expect(lua.match(new RegExp(`\\b${name}\\b`, 'g'))?.length, name).toBeGreaterThan(1);
  },
);
