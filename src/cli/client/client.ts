import type { Producer } from '../../producer/producer.ts';

/** What commands ask of a deployment, over Redis or over HTTP. */
export type Client = Pick<
  Producer,
  | 'enqueueMany'
  | 'cancel'
  | 'retry'
  | 'get'
  | 'wait'
  | 'subscribe'
  | 'list'
  | 'waste'
  | 'ledger'
  | 'depths'
  | 'pauseLaunch'
  | 'holds'
  | 'releaseHold'
  | 'resendCallback'
  | 'callbackSecret'
> & { readonly cancellations: Pick<Producer['cancellations'], 'estimate' | 'begin' | 'run' | 'stop' | 'get'> };
