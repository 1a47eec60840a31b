import { loadConfiguration } from '../shared/runtime/configuration.ts';
import { logTelemetry } from '../shared/runtime/logger.ts';
import type { Configuration } from '../shared/runtime/settings.ts';
import { Telemetry } from '../shared/runtime/telemetry.ts';

export interface ProcessParts {
  configuration: Configuration;
  telemetry: Telemetry;
}

/** For a command that runs until it is told to stop: its facts go to standard output, one JSON line each. */
export function openProcess(): ProcessParts {
  const { configuration, warnings } = loadConfiguration(process.env);
  const telemetry = new Telemetry();
  logTelemetry(telemetry, configuration.logLevel);
  for (const advice of warnings) telemetry.emit('setting_unknown', { advice });
  return { configuration, telemetry };
}

/** After everything was closed, a handle that somebody forgot must not keep the process. */
const LAST_RESORT_MS = 2000;

/**
 * Starts something, runs it until SIGTERM or Ctrl-C, and closes it by what the start gave back. Also when the parent
 * that started us is gone: a killed `demo` or `dev` must not leave its children behind. A start that fails ends at once.
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
  } finally {
    clearInterval(alive);
    for (const signal of signals) process.off(signal, stop);
    // The channel to our parent would keep us alive too.
    if (process.connected) process.disconnect();
    setTimeout(() => process.exit(), LAST_RESORT_MS).unref();
  }
}
