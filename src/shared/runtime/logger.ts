import { pino } from 'pino';
import { eventTable } from '../contract/events.ts';
import type { Telemetry } from './telemetry.ts';
import { traceIdOf } from './trace-state.ts';

/**
 * Writes each event as one JSON line to standard output. Only the fields of the event's schema are written, because any other
 * would be a mistake and might hold a prompt (I13). Returns the function that stops it.
 */
export function logTelemetry(telemetry: Telemetry, level: string, destination?: NodeJS.WritableStream): () => void {
  const logger = pino(
    {
      level,
      base: { pid: process.pid },
      formatters: { level: label => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    destination ?? pino.destination({ sync: true }),
  );
  return telemetry.subscribe(({ name, fields }) => {
    const { level: eventLevel, fields: schema } = eventTable[name];
    if (!logger.isLevelEnabled(eventLevel)) return;
    const known = Object.entries(fields).filter(([field]) => field in schema.shape);
    const traceId = 'job_id' in fields ? traceIdOf(fields.job_id) : undefined;
    logger[eventLevel]({ event: name, ...Object.fromEntries(known), ...(traceId && { trace_id: traceId }) });
  });
}
