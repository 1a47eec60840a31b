import type { Duplex } from 'node:stream';
import type { Redis } from 'ioredis';

/**
 * Sends what is written in one turn of the event loop by two system calls: the first command at once, and all others of the
 * turn together. ioredis makes one call for each. The commands, their order and their answers stay as they are. Under load it
 * saves a tenth of a worker's processor time and of Redis' (docs/decisions/0022). A command that nothing has followed before its
 * answer costs no turn of its own.
 */
export function joinWrites(client: Redis): void {
  client.on('connect', () => {
    const { stream } = client as unknown as { stream: Duplex };
    const write = stream.write.bind(stream) as (...given: unknown[]) => boolean;
    let hasWritten = false;
    let isJoining = false;
    // What comes after an answer may be another turn.
    stream.prependListener('data', () => {
      hasWritten = false;
    });
    stream.write = (...given: unknown[]) => {
      if (hasWritten && !isJoining) {
        isJoining = true;
        stream.cork();
        setImmediate(() => {
          hasWritten = false;
          isJoining = false;
          stream.uncork();
        });
      }
      hasWritten = true;
      return write(...given);
    };
  });
}
