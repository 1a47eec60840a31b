import { connect } from 'node:net';

/** The port, or 0 for a free one if another program listens on it. */
export async function freeOr(port: number): Promise<number> {
  return (await isTaken(port)) ? 0 : port;
}

/** Throws a sentence if another program listens on the port, before anything is started. */
export async function assertFree(port: number, setting: string): Promise<void> {
  if (await isTaken(port))
    throw new Error(
      `Port ${port} on 127.0.0.1 is already in use. Stop the other program, or choose another port with ${setting}. Nothing was started.`,
    );
}

async function isTaken(port: number): Promise<boolean> {
  if (port === 0) return false;
  return await new Promise(resolve => {
    const probe = connect({ port, host: '127.0.0.1' });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
