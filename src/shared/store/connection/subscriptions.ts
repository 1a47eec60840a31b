import { setTimeout as sleep } from 'node:timers/promises';
import { clusterOf, type RedisClient } from './client.ts';
import { copyOfCluster } from './cluster.ts';
import { patientDuplicate } from './patience.ts';
import { untilReady } from './suitable.ts';

/** `null` means that messages may have been lost. */
type Hear = (text: string | null) => void;

const TRIES = 5;
const RETRY_MS = 100;

/** All channels that a process listens to, on one connection; in a cluster, on one for each node that publishes. */
export class Subscriptions {
  private readonly parent: RedisClient;
  private readonly hearers = new Map<string, Hear>();
  private subscriber: RedisClient | undefined;

  constructor(parent: RedisClient) {
    this.parent = parent;
  }

  /** Resolves once messages of the channel arrive. */
  async subscribe(channel: string, hear: Hear): Promise<void> {
    this.hearers.set(channel, hear);
    this.subscriber ??= clusterOf(this.parent) ? this.openSharded() : this.openSingle();
    if (clusterOf(this.subscriber)) await this.subscribeSharded(this.subscriber, channel);
    else await this.subscriber.subscribe(channel);
  }

  close(): void {
    if (this.subscriber !== this.parent) this.subscriber?.disconnect();
  }

  /** A subscriber needs a separate connection, and a patient one comes back and subscribes again by itself. */
  private openSingle(): RedisClient {
    const subscriber = this.parent.duplicate(patientDuplicate);
    subscriber.on('error', () => {});
    subscriber.on('message', this.onMessage);
    subscriber.once('ready', () => subscriber.on('ready', this.onGap));
    return subscriber;
  }

  /** A cluster's client subscribes at the nodes by itself, if it was opened for that. The app's client may not have been. */
  private openSharded(): RedisClient {
    const cluster = clusterOf(this.parent);
    const isReady = cluster?.options.shardedSubscribers === true;
    const subscriber = cluster && !isReady ? copyOfCluster(cluster, 'worker') : this.parent;
    if (subscriber !== this.parent) subscriber.on('error', () => {});
    subscriber.on('smessage', this.onMessage);
    // A node was replaced, or a slot has moved.
    subscriber.on('subscribersReady', this.onGap);
    return subscriber;
  }

  private async subscribeSharded(subscriber: RedisClient, channel: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      await untilReady(subscriber);
      try {
        await subscriber.ssubscribe(channel);
        return;
      } catch (error) {
        // While the client learns which node has which slot, no node is responsible.
        if (attempt === TRIES) throw error;
        await sleep(RETRY_MS * attempt);
      }
    }
  }

  private readonly onMessage = (channel: string, text: string) => this.hearers.get(channel)?.(text);

  private readonly onGap = () => {
    for (const hear of this.hearers.values()) hear(null);
  };
}
