import type { OpenAI } from 'openai';
import type { Ground } from './ground.ts';

/** A deployment to which a fault will happen, and that goes on. */
export interface Stage extends Pick<Ground, 'producer' | 'ledger' | 'provider' | 'receiver' | 'told'> {
  /** A client of the server. It repeats a call as the SDK does, and reaches another server once the first is gone. */
  client: OpenAI;
  /** Resolves when the fault has happened, with the moment of `performance.now()`. */
  struck: Promise<number>;
  hasStruck(): boolean;
  close(): Promise<void>;
}
