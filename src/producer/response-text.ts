import type { Job } from '../shared/contract/job.ts';
import { membersOf, withMembers } from '../shared/runtime/json-members.ts';
import { responseBody } from './response-body.ts';

/** What the provider would say back of a request, as it was written there. */
const echoed = [
  'instructions',
  'max_output_tokens',
  'metadata',
  'model',
  'parallel_tool_calls',
  'previous_response_id',
  'temperature',
  'tool_choice',
  'tools',
  'top_p',
];

/** Of a result these alone are ours to say. */
const oursOfResult = ['id', 'previous_response_id', 'usage', 'headstone'];

/**
 * The same Response as JSON, in which whatever the app or the provider wrote stands to the letter: numbers that JavaScript
 * cannot hold, `1.0`, and the order of keys. `requestText` and `resultText` are null where they are no longer kept.
 */
export function responseText(job: Job, requestText: string | null, resultText: string | null): string {
  const asked = requestText === null ? new Map<string, string>() : membersOf(requestText);
  const previous = asked.get('previous_response_id');
  const request = previous === undefined ? {} : { previous_response_id: JSON.parse(previous) };
  const body = responseBody(job, request) as Record<string, unknown>;
  if (job.response && resultText !== null) {
    const names = job.status === 'failed' ? [...oursOfResult, 'error'] : oursOfResult;
    const shown = Object.fromEntries(names.map(name => [name, JSON.stringify(body[name])]));
    // The provider's own words for a usage stay as they are.
    if (job.response.usage) delete shown.usage;
    return withMembers(resultText, shown);
  }
  const written = echoed.flatMap(name => {
    const text = asked.get(name);
    return text === undefined || text === 'null' ? [] : [[name, text] as const];
  });
  return withMembers(JSON.stringify(body), Object.fromEntries(written));
}
