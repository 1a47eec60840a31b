import { setTimeout as sleep } from 'node:timers/promises';
import { OpenAI } from 'openai';
import { usageSchema } from '../../shared/contract/response.ts';
import { usd } from '../../shared/runtime/format.ts';
import { price } from '../../shared/runtime/prices.ts';
import type { PriceSettings } from '../../shared/runtime/setting-formats.ts';
import { print, printProse } from '../terminal/output.ts';

const MODEL = 'gpt-5.5';
const UNTIL_RUNNING_MS = 600;
const BETWEEN_READS_MS = 1000;
const MOST_READS = 10;

/** Shows the problem with the plain openai client, without Headstone. */
export async function showTheProblem(simulatorUrl: string, prices: PriceSettings): Promise<void> {
  const client = new OpenAI({ baseURL: simulatorUrl, apiKey: 'simulated', logLevel: 'off' });
  const created = await client.responses.create({
    model: MODEL,
    input: 'Write a report on tides',
    background: true,
    store: true,
    metadata: { sim: JSON.stringify({ duration_ms: 3500 }) },
  });
  print(`   create  ${created.status}`);
  await sleep(UNTIL_RUNNING_MS);
  const cancelled = await client.responses.cancel(created.id);
  print(`   cancel  ${cancelled.status}, usage ${cancelled.usage ?? 'null'}`);
  for (let read = 1; read <= MOST_READS; read += 1) {
    const response = await client.responses.retrieve(created.id);
    if (response.status !== 'completed') {
      print(`   read    ${response.status}`);
      await sleep(BETWEEN_READS_MS);
      continue;
    }
    const { usage } = response;
    const cost =
      usage && price({ model: MODEL, servedModel: null, serviceTier: null, usage: usageSchema.parse(usage) }, prices);
    printProse(
      `   read    completed: the whole text is there, and ${usage?.total_tokens} tokens are charged (${usd(cost?.costUsdMicros ?? null)})`,
    );
    return;
  }
}
