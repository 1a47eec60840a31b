import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { OpenAI } from 'openai';
import { describe, expect, test } from 'vitest';

import { type FrontDoor, startFrontDoor } from '../support/front-door.ts';
import { scripted, startHarness } from '../support/harness.ts';

const schemaFile = fileURLToPath(new URL('../../../shared/openai-responses.schema.json', import.meta.url));
const present = existsSync(schemaFile);
if (!present)
  process.stdout.write(
    'The published schema is not beside this checkout (../shared/openai-responses.schema.json): bodies are not validated against it.\n',
  );

function compile(name = 'Response'): ValidateFunction {
  const schema = JSON.parse(readFileSync(schemaFile, 'utf8')) as object;
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(schema, 'openai');
  const validate = ajv.getSchema(`openai#/$defs/${name}`);
  if (!validate) throw new Error(`The schema has no ${name}.`);
  return validate as ValidateFunction;
}

/** The provider sends `usage: null`, which its document does not allow. `headstone` is added by Headstone. */
function expectValid(validate: ValidateFunction, body: object): void {
  const { usage, headstone, ...rest } = body as { usage?: unknown; headstone?: unknown };
  validate(usage === null ? rest : { ...rest, usage });
  expect(validate.errors ?? []).toEqual([]);
}

async function followToEnd(
  client: OpenAI,
  id: string,
  validate: ValidateFunction,
  statuses: Set<string | undefined>,
): Promise<void> {
  await expect
    .poll(async () => {
      const body = await client.responses.retrieve(id);
      expectValid(validate, body);
      statuses.add(body.status);
      return body.status;
    })
    .not.toMatch(/queued|in_progress/);
}

describe.skipIf(!present)('bodies as OpenAI publishes them', () => {
  test('the simulator’s, in every status', async () => {
    const validate = compile();
    const { simulator } = await startHarness({ workers: 0 });
    const client = new OpenAI({ baseURL: simulator.url, apiKey: 'any' });
    const statuses = new Set<string | undefined>();
    for (const script of [
      {},
      { end: 'incomplete' },
      { end: 'failed' },
      { end: 'rate_limited' },
      { cancel: 'honour' },
    ] as const) {
      const created = await client.responses.create({ ...scripted({ duration_ms: 400, ...script }), background: true });
      expectValid(validate, created);
      statuses.add(created.status);
      if ('cancel' in script) expectValid(validate, await client.responses.cancel(created.id));
      await followToEnd(client, created.id, validate, statuses);
    }
    expect(statuses).toEqual(new Set(['queued', 'in_progress', 'completed', 'incomplete', 'failed', 'cancelled']));
  });

  test('the server’s, in every status', async () => {
    const validate = compile();
    const { client } = await startFrontDoor();
    const statuses = new Set<string | undefined>();
    for (const script of [
      {},
      { end: 'incomplete' },
      { end: 'failed' },
      { create: 'invalid' },
      { create: 'truncated' },
    ] as const) {
      const created = await client.responses.create({ ...scripted({ duration_ms: 300, ...script }), background: true });
      expectValid(validate, created);
      statuses.add(created.status);
      await followToEnd(client, created.id, validate, statuses);
    }
    const created = await client.responses.create({ ...scripted({ stuck: true }), background: true });
    const cancelled = await client.responses.cancel(created.id);
    expectValid(validate, cancelled);
    statuses.add(cancelled.status);
    expect(statuses).toEqual(new Set(['queued', 'in_progress', 'completed', 'incomplete', 'failed', 'cancelled']));
  });

  test.for([
    ['the simulator’s', (door: FrontDoor) => new OpenAI({ baseURL: door.simulator.url, apiKey: 'any' })],
    ['the server’s', (door: FrontDoor) => door.client],
  ] as const)('%s events, to each kind of end', async ([, clientOf]) => {
    const validate = compile('ResponseStreamEvent');
    const door = await startFrontDoor();
    const types = new Set<string>();
    for (const script of [
      { duration_ms: 400 },
      { end: 'incomplete' },
      { end: 'failed' },
      { replay: false, drop_after: 6, drop: 'end' },
    ]) {
      const request = {
        ...scripted({ duration_ms: 400, ...script } as never),
        background: true,
        stream: true,
      } as const;
      for await (const event of await clientOf(door).responses.create(request)) {
        types.add(event.type);
        if ('response' in event) {
          const { usage, headstone, ...rest } = event.response as { usage?: unknown; headstone?: unknown };
          validate({ ...event, response: usage === null ? rest : { ...rest, usage } });
        } else validate(event);
        expect(validate.errors ?? [], event.type).toEqual([]);
      }
    }
    expect(types).toContain('response.completed');
    expect(types).toContain('response.incomplete');
    expect(types).toContain('response.failed');
  });
});
