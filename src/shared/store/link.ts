import { HeadstoneError } from '../contract/errors.ts';
import type { Telemetry } from '../runtime/telemetry.ts';
import { clusterOf, type RedisClient } from './connection/client.ts';
import { Doorbell } from './connection/doorbell.ts';
import { atNodeOf, isNodeConnected } from './connection/node-connection.ts';
import type { Patience } from './connection/patience.ts';
import { type Connection, openRedis } from './connection/redis.ts';
import { addressOf, isWrongServer, refusalOf, told, unreachable } from './connection/store-errors.ts';
import { Subscriptions } from './connection/subscriptions.ts';
import { assertSuitable, untilReady } from './connection/suitable.ts';
import { JoinedCalls } from './joined-calls.ts';
import { commandName, NUMBER_OF_KEYS, scripts } from './scripts.ts';

const CLOCK = 'headstone_clock';
const clock = `#!lua flags=no-writes,allow-oom
return redis.call('TIME')`;

/** The connections that all lanes of a process share. */
export class Link {
  readonly client: RedisClient;
  readonly subscriptions: Subscriptions;
  readonly calls: JoinedCalls;
  private readonly owned: boolean;
  private readonly doorbells = new Map<string, Doorbell>();
  private checked: Promise<void> | undefined;

  constructor(connection: Connection, patience: Patience, telemetry: Telemetry) {
    const { client, owned } = openRedis(connection, patience, telemetry);
    // Every lane and caller that waits for the connection listens. BullMQ adds to the number, so 0 would not be without limit.
    client.setMaxListeners(Number.POSITIVE_INFINITY);
    this.client = client;
    this.owned = owned;
    this.subscriptions = new Subscriptions(client);
    this.calls = new JoinedCalls(client);
    for (const { name, lua } of Object.values(scripts))
      client.defineCommand(commandName(name), { lua, numberOfKeys: NUMBER_OF_KEYS });
    client.defineCommand(CLOCK, { lua: clock, numberOfKeys: 1 });
  }

  /** True for a Redis Cluster. */
  get isCluster(): boolean {
    return clusterOf(this.client) !== null;
  }

  /** How scripts publish. In a cluster, messages stay on the node that has the channel's slot. */
  get publish(): 'PUBLISH' | 'SPUBLISH' {
    return this.isCluster ? 'SPUBLISH' : 'PUBLISH';
  }

  /** Checks once that the store answers, is new enough and evicts nothing. After a failure the next caller checks again. */
  async ready(): Promise<void> {
    this.checked ??= assertSuitable(this.client).catch((error: unknown) => {
      this.checked = undefined;
      throw error;
    });
    await this.checked;
  }

  /** Sends commands about a key. A lost connection becomes an error with a sentence, which names the node that has the key. */
  async ask<Answer>(key: string, call: (client: RedisClient) => Promise<Answer>): Promise<Answer> {
    try {
      return await call(this.client);
    } catch (error) {
      // An inner call has already tried again.
      if (error instanceof HeadstoneError || !isWrongServer(error)) throw this.told(key, error);
    }
    // That server did nothing, and the client is reconnecting to the one that took over: try once more.
    try {
      await untilReady(this.client);
      return await call(this.client);
    } catch (error) {
      throw this.told(key, error);
    }
  }

  /** An error of a command about a key, with a sentence. */
  told(key: string, error: unknown): Error {
    const node = atNodeOf(this.client, key);
    // A cluster's client goes where it is sent to, so it says this only of a node that is gone.
    return this.isCluster && refusalOf(error) === 'MOVED' ? unreachable(node, null) : told(node, error);
  }

  /** The clock of the server that has a key, in milliseconds since 1970. */
  async timeMs(key: string): Promise<number> {
    const commands = this.client as unknown as Record<string, (key: string) => Promise<[string, string]>>;
    const [seconds, micros] = await this.ask(
      key,
      async client => (await commands[CLOCK]?.call(client, key)) ?? ['0', '0'],
    );
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }

  /** The address of the node that has a key. */
  nodeOf(key: string): string {
    return addressOf(atNodeOf(this.client, key));
  }

  /** What the workers of queues under a prefix wait on. Queues that are on one server share it. */
  doorbell(prefix: string): Doorbell {
    const place = this.isCluster ? prefix : '';
    const known = this.doorbells.get(place);
    if (known) return known;
    const opened = new Doorbell(this.client, prefix);
    this.doorbells.set(place, opened);
    return opened;
  }

  /** False while the server that has a key is away. */
  isConnectedTo(key: string): boolean {
    return this.client.status === 'ready' && isNodeConnected(this.client, key);
  }

  /** Cuts the connections without waiting for anything on them. */
  disconnect(): void {
    this.client.disconnect();
    for (const doorbell of this.doorbells.values()) doorbell.close();
  }

  close(): void {
    this.subscriptions.close();
    for (const doorbell of this.doorbells.values()) doorbell.close();
    if (this.owned) this.client.disconnect();
  }
}
