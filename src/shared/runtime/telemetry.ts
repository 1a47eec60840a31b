import { EventEmitter } from 'node:events';
import type { EventFields, EventName } from '../contract/events.ts';

export type TelemetryEvent = { [Name in EventName]: { name: Name; fields: EventFields<Name> } }[EventName];
export type Subscriber = (event: TelemetryEvent) => void;

/** The stream of events. An app, the log and the metrics subscribe to it. */
export class Telemetry {
  private readonly emitter = new EventEmitter().setMaxListeners(0);

  emit<Name extends EventName>(name: Name, fields: EventFields<Name>): void {
    this.emitter.emit('event', { name, fields });
  }

  /** Returns the function that ends the subscription. */
  subscribe(subscriber: Subscriber): () => void {
    this.emitter.on('event', subscriber);
    return () => this.emitter.off('event', subscriber);
  }
}
