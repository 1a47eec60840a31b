import type { UpstreamResponse } from '../shared/contract/response.ts';
import type { Hold } from '../shared/store/lua/shapes.ts';
import type { UpstreamStream } from './upstream-stream.ts';

/** A create ends in one of three ways, and only the first two are certain. */
export type LaunchAnswer =
  /** A response exists, and this is its id. */
  | {
      kind: 'launched';
      response: UpstreamResponse;
      /** The body as it came; a stream has none. */
      text?: string;
      servedModel: string | undefined;
      /** Where the create was one; nothing of it has been heard yet. */
      stream?: UpstreamStream;
    }
  /** No response exists, nor ever will. */
  | ({ kind: 'refused' } & Refusal)
  /** A response may exist, may run and be billed. */
  | {
      kind: 'unknown';
      code: string;
      /** Where something answered. */
      httpStatus?: number;
      /** The provider's own words, for the job's owner alone. */
      message?: string;
    };

export type Look =
  | {
      kind: 'seen';
      response: UpstreamResponse;
      /** The body as it came, for a result to keep. */
      text: string;
      servedModel: string | undefined;
    }
  /** 404, which is not absence: up to 32.7 s of it were seen on a valid id (Azure). */
  | { kind: 'absent' }
  /** Says nothing about the response. */
  | { kind: 'failed'; code: string; retryAfterMs: number | undefined };

export type CancelAnswer =
  /** The upstream says that it stops. It may not. */
  | { kind: 'acknowledged'; response: UpstreamResponse | null; servedModel: string | undefined }
  /** There is nothing left to cancel. */
  | { kind: 'too_late' }
  | { kind: 'failed'; code: string; retryAfterMs: number | undefined };

export type StreamAnswer =
  | { kind: 'opened'; stream: UpstreamStream }
  /** The provider does not play this stream again. */
  | { kind: 'refused'; code: string }
  | { kind: 'failed'; code: string };

export interface Upstream {
  /** `body` is JSON, and is sent as it is. */
  create(body: string, model: string): Promise<LaunchAnswer>;
  /** The same as a stream: answers at the first event that has an id. */
  createStream(body: string, model: string): Promise<LaunchAnswer>;
  /** The events after a sequence number. */
  resumeStream(responseId: string, after: number, include: string[]): Promise<StreamAnswer>;
  retrieve(responseId: string, options: { signal: AbortSignal; include: string[] }): Promise<Look>;
  cancel(responseId: string): Promise<CancelAnswer>;
}

/** Why a create ran nothing, and what follows for the job and for the others. */
export type Refusal = { code: string; httpStatus: number | null; message: string } & (
  | { next: 'failed' }
  | { next: 'queued'; hold: Omit<Hold, 'code'> }
);

/** What is known of a call that did not succeed. */
export interface CallFailure {
  /** Null where no HTTP answer came. */
  status: number | null;
  code: string | null;
  type: string | null;
  /** What of the request the error names. */
  param: string | null;
  /** Of the error's body; null where it had none, as in a page of a gateway on the way. */
  message: string | null;
  headers: Headers | undefined;
  /** Such as ECONNREFUSED. */
  connectionCode: string | null;
  /** True where it broke while bytes went over it: the request may have arrived. */
  stoodBefore: boolean;
  timedOut: boolean;
}
