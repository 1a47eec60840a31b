import type { Job } from '../shared/contract/job.ts';
import type { JobStatus } from '../shared/contract/words.ts';

/** The status that OpenAI's clients see, whose types have a closed set. A rerun stays in progress, so no status goes back. */
const shownStatus: Record<JobStatus, string> = {
  queued: 'queued',
  launching: 'queued',
  running: 'in_progress',
  completed: 'completed',
  incomplete: 'incomplete',
  failed: 'failed',
  cancelled: 'cancelled',
  expired: 'cancelled',
};

/** The error codes that the openai package knows (7.59). Any other code is put into the message. */
const knownErrorCodes = new Set(
  `server_error rate_limit_exceeded invalid_prompt data_residency_mismatch bio_policy misalignment_policy_violation
  vector_store_timeout invalid_image invalid_image_format invalid_base64_image invalid_image_url image_too_large
  image_too_small image_parse_error image_content_policy_violation invalid_image_mode image_file_too_large
  unsupported_image_media_type empty_image_file failed_to_download_image image_file_not_found`.split(/\s+/),
);

/** A job as a Response of OpenAI's API, under the job's id. */
export function responseBody(job: Job, request: Record<string, unknown>) {
  const headstone = headstoneField(job);
  if (job.response) {
    const previous = request.previous_response_id ?? job.response.previous_response_id ?? null;
    const usage = job.response.usage ?? billedUsage(job);
    return {
      ...job.response,
      id: shownId(job),
      previous_response_id: previous,
      usage,
      ...(job.status === 'failed' ? { error: errorOf(job) } : {}),
      headstone,
    };
  }
  const hasRun = job.outcome === null && job.launches.some(({ state }) => state === 'acknowledged');
  return {
    id: shownId(job),
    object: 'response' as const,
    created_at: Math.floor(job.created_at / 1000),
    status: hasRun ? 'in_progress' : shownStatus[job.status],
    background: true,
    error: errorOf(job),
    incomplete_details: null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    metadata: request.metadata ?? {},
    model: request.model ?? job.model,
    output: [],
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: request.previous_response_id ?? null,
    store: true,
    temperature: request.temperature ?? 1,
    tool_choice: request.tool_choice ?? 'auto',
    tools: request.tools ?? [],
    top_p: request.top_p ?? 1,
    usage: billedUsage(job),
    headstone,
  };
}

/** The id by which the caller knows the job. */
export function shownId({ id, chosen_id }: Pick<Job, 'id' | 'chosen_id'>): string {
  return chosen_id ?? id;
}

function errorOf(job: Job) {
  const error = job.outcome?.error;
  if (!error) return null;
  const { code, message } = error;
  return knownErrorCodes.has(code) ? { code, message } : { code: 'server_error', message: `${code}: ${message}` };
}

/** What was billed, even for a response that nobody saw; null until that is known. */
function billedUsage(job: Job) {
  // Between two runs the job has no response, and the last one is what was paid for.
  const row =
    job.response_id === null ? job.ledger.at(-1) : job.ledger.find(one => one.response_id === job.response_id);
  return row?.status === 'final' ? row.usage : null;
}

function headstoneField(job: Job) {
  const wasted = job.ledger.filter(row => row.kind === 'wasted');
  return {
    status: job.status,
    upstream_id: job.response_id,
    tombstone: job.tombstone,
    waste: wasted.map(row => ({
      response_id: row.response_id,
      status: row.status,
      total_tokens: row.usage?.total_tokens ?? null,
      cost_usd_micros: row.cost_usd_micros,
    })),
  };
}
