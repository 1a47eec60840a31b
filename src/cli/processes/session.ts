import { loadConfiguration } from '../../shared/runtime/configuration.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';
import { Telemetry } from '../../shared/runtime/telemetry.ts';
import { startOpenTelemetry, stopOpenTelemetry } from './open-telemetry.ts';

export interface ProcessParts {
  configuration: Configuration;
  telemetry: Telemetry;
}

/**
 * For a command that runs until it is stopped: it logs events to standard output, one JSON line for each. A `service` is a process
 * of its own for OpenTelemetry.
 */
export async function openProcess(service?: string): Promise<ProcessParts> {
  const { configuration, warnings } = loadConfiguration(process.env);
  if (service !== undefined) await startOpenTelemetry(service);
  const telemetry = new Telemetry();
  const { logTelemetry } = await import('../../shared/runtime/logger.ts');
  logTelemetry(telemetry, configuration.logLevel);
  for (const advice of warnings) telemetry.emit('setting_unknown', { advice });
  return { configuration, telemetry };
}

/** How long after closing everything the process ends, even if a handle was left open. */
const LAST_RESORT_MS = 2000;

/**
 * Starts something, waits for SIGTERM or Ctrl-C, and calls the function that the start returned. It also stops when its parent
 * is gone, so that a killed `demo` or `dev` leaves no child behind. Throws what the start throws.
 */
export async function runUntilAskedToStop(
  start: (asked: Promise<void>) => Promise<() => Promise<void>>,
): Promise<void> {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const stop = () => resolve();
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'disconnect'] as const;
  for (const signal of signals) process.on(signal, stop);
  // A promise alone does not keep Node alive.
  const alive = setInterval(() => {}, 1 << 30);
  try {
    const close = await start(asked);
    await asked;
    await close();
    await stopOpenTelemetry();
  } finally {
    clearInterval(alive);
    for (const signal of signals) process.off(signal, stop);
    // The channel to the parent would keep the process alive too.
    if (process.connected) process.disconnect();
    setTimeout(() => process.exit(), LAST_RESORT_MS).unref();
  }
}
