import type { Job } from '../shared/contract/job.ts';
import { membersOf, withMembers } from '../shared/runtime/json-members.ts';
import { responseBody } from './response-body.ts';

/** The fields of a request that a Response repeats. */
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

/** The fields of a result that Headstone replaces. */
const replacedFields = ['id', 'previous_response_id', 'usage', 'headstone'];

/**
 * A job's Response as JSON. What the app or the provider wrote is unchanged, down to the order of keys, `1.0` and numbers that
 * JavaScript cannot hold. `requestText` and `resultText` are null if they are no longer kept.
 */
export function responseText(job: Job, requestText: string | null, resultText: string | null): string {
  const asked = requestText === null ? new Map<string, string>() : membersOf(requestText);
  const previous = asked.get('previous_response_id');
  const request = previous === undefined ? {} : { previous_response_id: JSON.parse(previous) };
  const body = responseBody(job, request) as Record<string, unknown>;
  if (job.response && resultText !== null) {
    const names = job.status === 'failed' ? [...replacedFields, 'error'] : replacedFields;
    const shown = Object.fromEntries(names.map(name => [name, JSON.stringify(body[name])]));
    // The provider's own usage stays unchanged.
    if (job.response.usage) delete shown.usage;
    return withMembers(resultText, shown);
  }
  const written = echoed.flatMap(name => {
    const text = asked.get(name);
    return text === undefined || text === 'null' ? [] : [[name, text] as const];
  });
  return withMembers(JSON.stringify(body), Object.fromEntries(written));
}
