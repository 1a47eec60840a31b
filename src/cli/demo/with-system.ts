import { randomUUID } from 'node:crypto';
import { createProducer } from '../../producer/create-producer.ts';
import { deleteKeys } from '../../shared/store/connection/delete-keys.ts';
import type { LogLine } from '../processes/children.ts';
import { type System, startSystem } from '../processes/system.ts';
import { exitCodes } from '../terminal/exit-codes.ts';
import { FrontDoor } from './front-door.ts';

export interface Stage {
  redisUrl: string | undefined;
  /** False lets the workers use the real provider. */
  simulate: boolean;
  workers: number;
  settings?: Record<string, string>;
  onLine: (line: LogLine) => void;
  /** What an interrupted demo has to do before its system stops. */
  leave?: (door: FrontDoor) => Promise<void>;
}

/** Settings with short times, because watching for an hour would make a long demo. */
const quick = {
  HEADSTONE_POLL_MIN_MS: '300',
  HEADSTONE_POLL_MAX_MS: '1000',
  HEADSTONE_SETTLE_FIRST_MS: '1000',
  HEADSTONE_SETTLE_WINDOW_MS: '6000',
  HEADSTONE_MAX_IN_FLIGHT: '16',
  // These settings of the machine are left out: keys would shut the demo out, and two workers cannot share a port.
  HEADSTONE_API_KEYS: '',
  HEADSTONE_API_KEYS_FILE: '',
  HEADSTONE_HEALTH_PORT: '',
};

/** Runs the whole system while the work takes, under a new prefix. */
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
    // An existing Redis is left as it was. If it is away, the demo's error says so.
    if (parts.redisUrl !== undefined) await deleteDemo(parts.redisUrl, prefix).catch(() => {});
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

async function deleteDemo(connection: string, prefix: string): Promise<void> {
  const producer = createProducer({ connection, prefix });
  try {
    // Every lane's prefix begins like this one.
    await producer.store.ask(client => deleteKeys(client, prefix.replace(/}$/, '')));
  } finally {
    await producer.close();
  }
}
