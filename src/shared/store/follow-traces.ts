import type { Telemetry } from '../runtime/telemetry.ts';
import { isTracing } from '../runtime/trace-state.ts';
import type { JobTraces } from './job-traces.ts';
import type { Store } from './store.ts';

const followed = new WeakSet<Telemetry>();

/**
 * Tells traces and metrics what became of jobs, by the events of this process, while an SDK of OpenTelemetry is there to hear it.
 * A producer and a worker of one process may share their events, which are followed once.
 */
export function followTraces(store: Store, telemetry: Telemetry, baseUrl: string | undefined): void {
  if (followed.has(telemetry)) return;
  followed.add(telemetry);
  let traces: Promise<JobTraces> | undefined;
  telemetry.subscribe(({ name, fields }) => {
    const isTold = name === 'job_decided' || name === 'tokens_wasted' || name === 'usage_settled';
    if (!isTold || !isTracing()) return;
    traces ??= import('./job-traces.ts').then(({ JobTraces: Traces }) => new Traces(store, baseUrl));
    const told = traces.then(loaded =>
      name === 'job_decided' ? loaded.decided(fields.job_id) : loaded.settled(fields.response_id),
    );
    // What is lost here is a span, and never a job.
    told.catch(() => {});
  });
}
