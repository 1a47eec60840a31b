import { randomUUID } from 'node:crypto';
import { createProducer } from '../../producer/create-producer.ts';
import type { LogLine } from '../children.ts';
import { exitCodes } from '../exit-codes.ts';
import { type System, startSystem } from '../system.ts';
import { FrontDoor } from './front-door.ts';

export interface Stage {
  redisUrl: string | undefined;
  /** False: the workers speak to the real provider. */
  simulate: boolean;
  workers: number;
  settings?: Record<string, string>;
  onLine: (line: LogLine) => void;
  /** What an interrupted demo still has to do before its system is gone. */
  leave?: (door: FrontDoor) => Promise<void>;
}

/** The product's own behaviour on a short clock: an hour's watch would make a long demo. */
const quick = {
  HEADSTONE_POLL_MIN_MS: '300',
  HEADSTONE_POLL_MAX_MS: '1000',
  HEADSTONE_SETTLE_FIRST_MS: '1000',
  HEADSTONE_SETTLE_WINDOW_MS: '6000',
  HEADSTONE_MAX_IN_FLIGHT: '16',
  // Of the machine's own deployment: keys would shut the demo out, and two workers cannot share a port.
  HEADSTONE_API_KEYS: '',
  HEADSTONE_API_KEYS_FILE: '',
  HEADSTONE_HEALTH_PORT: '',
};

/** The whole system for as long as the work takes, under a prefix that no other run has met. */
export async function withSystem(
  { settings, onLine, leave = async () => {}, ...parts }: Stage,
  work: (system: System, door: FrontDoor) => Promise<void>,
): Promise<void> {
  const prefix = `{headstone-demo-${randomUUID().slice(0, 8)}}`;
  const system = await startSystem({
    ...parts,
    storePort: 0,
    simulatorPort: 0,
    serverPort: 0,
    env: { ...quick, HEADSTONE_PREFIX: prefix, ...settings },
    onLine: (_process, line) => onLine(line),
  });
  const end = async () => {
    await system.stop();
    // A Redis that was there before is left as it was; where it is away, the demo's own error says so.
    if (parts.redisUrl !== undefined) await deleteKeys(parts.redisUrl, prefix).catch(() => {});
  };
  const door = new FrontDoor(system.serverUrl ?? '');
  // Ctrl-C ends the demo early and still leaves no process behind.
  const interrupted = () =>
    void leave(door)
      .catch(() => {})
      .then(end)
      .finally(() => process.exit(exitCodes.interrupted));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    await work(system, door);
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await end();
  }
}

async function deleteKeys(connection: string, prefix: string): Promise<void> {
  const producer = createProducer({ connection, prefix });
  try {
    await producer.ready();
    const { client } = producer.store;
    for await (const keys of client.scanStream({ match: `${prefix}*`, count: 1000 }))
      if (keys.length > 0) await client.unlink(...keys);
  } finally {
    await producer.close();
  }
}
