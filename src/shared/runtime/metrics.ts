import { Counter, Gauge, Registry } from 'prom-client';
import type { Depths } from '../contract/depths.ts';
import type { Telemetry } from './telemetry.ts';

const MICROS_PER_USD = 1_000_000;

/**
 * The metrics of a process. Counters count this process's events; gauges read the store at each scrape. Reasons, actors and
 * tenants are free text, so none of them is a label (I9).
 */
export function createMetrics(
  telemetry: Telemetry,
  readDepths: () => Promise<Depths>,
  /** `streamLimit` is for a worker, `streamReaders` for a server. */
  { streamLimit, streamReaders }: { streamLimit?: number; streamReaders?: { readonly count: number } } = {},
): Registry {
  const registry = new Registry();
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: `headstone_${name}`, help, labelNames, registers });
  const launches = counter('launches_total', 'Creates that the provider acknowledged.');
  const polls = counter('polls_total', 'Observations of responses.');
  const cancels = counter('cancels_total', 'Cancels that this process was asked for, by verdict.', ['verdict']);
  const flips = counter('flips_total', 'Results that came after their job was decided, and were dropped.');
  const wastedTokens = counter('wasted_tokens_total', 'Tokens of responses that nobody wanted.', ['model', 'cause']);
  const wastedCost = counter('wasted_cost_usd_total', 'What those tokens cost, as far as prices are known.', [
    'model',
    'cause',
  ]);

  telemetry.subscribe(event => {
    switch (event.name) {
      case 'launch_acknowledged':
        return launches.inc();
      case 'response_observed':
        return polls.inc();
      case 'job_cancel_asked':
        return cancels.inc({ verdict: event.fields.verdict });
      case 'late_result_dropped':
        return flips.inc();
      case 'tokens_wasted': {
        const { model, cause, total_tokens: tokens, cost_usd_micros: micros } = event.fields;
        wastedTokens.inc({ model, cause }, tokens ?? 0);
        wastedCost.inc({ model, cause }, (micros ?? 0) / MICROS_PER_USD);
      }
    }
  });

  // All gauges of a scrape share one reading. While the store is away they are left out, and the counters are still reported.
  let reading: Promise<Depths | null> | undefined;
  const read = () => {
    reading ??= readDepths()
      .catch(() => null)
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
  const gauge = (name: string, help: string, pick: (depths: Depths) => number) =>
    new Gauge({
      name: `headstone_${name}`,
      help,
      registers,
      async collect() {
        const depths = await read();
        if (depths) this.set(pick(depths));
        else this.remove();
      },
    });
  const isFull = ({ store }: Depths) => Number(store === 'full');
  gauge('store_full', '1 while the store refuses new jobs because its memory is full.', isFull);
  gauge('lanes', 'Lanes that the deployment has.', depths => depths.lanes);
  gauge(
    'lanes_away',
    'Lanes that do not answer. Their jobs are in no other number.',
    depths => depths.lanes_away.length,
  );
  gauge('lanes_unserved', 'Lanes that no worker serves.', depths => depths.lanes_unserved.length);
  gauge('launch_paused', '1 while launching is paused (headstone resume launch).', depths =>
    Number(depths.launch_paused),
  );
  gauge(
    'launch_waiting',
    'Jobs that wait in the launch queue or for the end of a hold.',
    depths => depths.launch_waiting,
  );
  gauge('due_polls', 'Polls that are due and that no worker has taken.', depths => depths.due_polls);
  gauge('oldest_due_poll_seconds', 'How late the oldest due poll is.', depths => depths.oldest_due_poll_seconds);
  gauge('open_streams', 'Streams that workers follow.', depths => depths.open_streams);
  gauge(
    'unsettled_responses',
    'Responses that are watched until their tokens are known.',
    depths => depths.unsettled_responses,
  );
  if (streamReaders)
    new Gauge({
      name: 'headstone_stream_readers',
      help: 'Stream readers and waiting calls on this server now.',
      registers,
      collect() {
        this.set(streamReaders.count);
      },
    });
  if (streamLimit !== undefined)
    new Gauge({
      name: 'headstone_stream_limit',
      help: 'Streams that this worker may follow at once.',
      registers,
    }).set(streamLimit);
  new Gauge({
    name: 'headstone_jobs',
    help: 'Jobs on record, by status.',
    labelNames: ['status'],
    registers,
    async collect() {
      this.reset();
      const depths = await read();
      for (const [status, count] of Object.entries(depths?.jobs ?? {})) this.set({ status }, count);
    },
  });
  return registry;
}
