import fc from 'fast-check';
import { expect, test } from 'vitest';
import { membersOf, withMembers } from '../../src/shared/runtime/json-members.ts';

test('every member is found as it was written, whatever stands in it', () => {
  const text =
    ' {"a" : 1.0,\n"b":"}, \\"{[\\\\", "\\u0063":[{"x":"]"},{}] , "a":9223372036854775807,"":null,"10":{"9":{}} }';
  expect([...membersOf(text)]).toEqual([
    ['b', '"}, \\"{[\\\\"'],
    ['c', '[{"x":"]"},{}]'],
    ['a', '9223372036854775807'],
    ['', 'null'],
    ['10', '{"9":{}}'],
  ]);
  expect(membersOf('{}').size).toBe(0);
});

test('the object reads the same after a change of nothing, and has what was changed', () => {
  const object = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue());
  fc.assert(
    fc.property(object, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      expect(JSON.parse(withMembers(text, {}))).toEqual(JSON.parse(text));
      const changed = JSON.parse(withMembers(text, { headstone: '{"x":1}', model: undefined })) as object;
      expect(changed).toHaveProperty('headstone', { x: 1 });
      expect(Object.hasOwn(changed, 'model')).toBe(false);
    }),
  );
});
