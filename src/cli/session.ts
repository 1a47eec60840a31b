import { createProducer } from '../producer/create-producer.ts';
import type { Producer } from '../producer/producer.ts';
import { loadConfiguration } from '../shared/runtime/configuration.ts';
import { logTelemetry } from '../shared/runtime/logger.ts';
import type { Configuration } from '../shared/runtime/settings.ts';
import { Telemetry } from '../shared/runtime/telemetry.ts';

/** For a command that asks one thing: connects, does it, and leaves nothing open. */
export async function withProducer<Result>(work: (producer: Producer) => Promise<Result>): Promise<Result> {
  const { configuration, warnings } = loadConfiguration(process.env);
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
  const producer = createProducer({ configuration });
  try {
    return await work(producer);
  } finally {
    await producer.close();
  }
}

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

/**
 * Resolves at SIGTERM or Ctrl-C, and when the parent that started us is gone: a killed `demo` or `dev` must not leave
 * its children behind.
 */
export function untilAskedToStop(): Promise<void> {
  // A promise alone does not keep Node alive.
  const alive = setInterval(() => {}, 1 << 30);
  return new Promise<void>(resolve => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
    process.once('disconnect', resolve);
  }).finally(() => {
    clearInterval(alive);
    // The channel to our parent would keep us alive too.
    if (process.connected) process.disconnect();
  });
}
