import type { Socket } from 'node:net';

/** The module tells sockets from files by this bound, and its event masks are Valkey's own (`ae.h`). */
const FIRST_DESCRIPTOR = 4096;
const READABLE = 1;
const WRITABLE = 2;

/** A socket with this many unread bytes is paused, so that a fast writer does not fill the memory of this process. */
const MOST_UNREAD_BYTES = 1 << 20;

interface Connection {
  socket: Socket;
  unread: Buffer[];
  unreadBytes: number;
  ended: boolean;
  congested: boolean;
}

/**
 * The sockets as Valkey sees them, which is as small integers. The numbers of closed connections are reused, because the
 * module's table has about ten thousand places and a long-lived process opens more connections than that.
 */
export class DescriptorTable {
  readonly listenerDescriptor = FIRST_DESCRIPTOR;
  firedInLastPoll = 0;

  private readonly connections = new Map<number, Connection>();
  private readonly waiting: number[] = [];
  private readonly free: number[] = [];
  private next = FIRST_DESCRIPTOR + 1;
  private readonly onEvent: () => void;

  constructor(onEvent: () => void) {
    this.onEvent = onEvent;
  }

  /** Holds a new client's connection until the module accepts it. */
  open(socket: Socket): void {
    const connection: Connection = { socket, unread: [], unreadBytes: 0, ended: false, congested: false };
    const descriptor = this.free.pop() ?? this.next++;
    this.connections.set(descriptor, connection);
    this.waiting.push(descriptor);
    const ended = () => {
      connection.ended = true;
      this.onEvent();
    };
    socket.on('data', (chunk: Buffer) => {
      connection.unread.push(chunk);
      connection.unreadBytes += chunk.length;
      if (connection.unreadBytes > MOST_UNREAD_BYTES) socket.pause();
      this.onEvent();
    });
    socket.on('drain', () => {
      connection.congested = false;
      this.onEvent();
    });
    socket.on('end', ended).on('close', ended).on('error', ended);
    this.onEvent();
  }

  accept(): number {
    return this.waiting.shift() ?? -1;
  }

  /** Returns the number of bytes read: 0 at the end of the input, -1 if there is nothing to read yet. */
  read(descriptor: number, target: Buffer): number {
    const connection = this.connections.get(descriptor);
    if (!connection) return -1;
    let length = 0;
    while (length < target.length) {
      const chunk = connection.unread[0];
      if (!chunk) break;
      const copied = chunk.copy(target, length);
      length += copied;
      if (copied === chunk.length) connection.unread.shift();
      else connection.unread[0] = chunk.subarray(copied);
    }
    connection.unreadBytes -= length;
    if (connection.socket.isPaused() && connection.unreadBytes < MOST_UNREAD_BYTES) connection.socket.resume();
    if (length > 0) return length;
    return connection.ended ? 0 : -1;
  }

  /** Returns the number of bytes accepted, or -1 while the client reads too slowly. Valkey then keeps the rest, and its output limits apply. */
  write(descriptor: number, bytes: Buffer): number {
    const connection = this.connections.get(descriptor);
    if (!connection || connection.ended || connection.congested) return -1;
    // The bytes are copied because the module reuses its memory as soon as this returns.
    connection.congested = !connection.socket.write(Buffer.from(bytes));
    return bytes.length;
  }

  ready(descriptor: number): number {
    if (descriptor === this.listenerDescriptor) return this.waiting.length > 0 ? READABLE : 0;
    const connection = this.connections.get(descriptor);
    if (!connection) return 0;
    const readable = connection.unread.length > 0 || connection.ended ? READABLE : 0;
    return connection.congested ? readable : readable | WRITABLE;
  }

  close(descriptor: number): void {
    const connection = this.connections.get(descriptor);
    if (!connection) return;
    connection.socket.destroySoon();
    this.connections.delete(descriptor);
    this.free.push(descriptor);
  }

  closeAll(): void {
    for (const { socket } of this.connections.values()) socket.destroy();
    this.connections.clear();
  }
}
