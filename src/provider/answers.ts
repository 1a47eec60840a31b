import type { Hold } from '../shared/contract/holds.ts';
import type { UpstreamResponse } from '../shared/contract/response.ts';
import type { UpstreamStream } from './upstream-stream.ts';

/** How a create can end. Only the first two are certain. */
export type LaunchAnswer =
  /** A response exists, and its id is known. */
  | {
      kind: 'acknowledged';
      response: UpstreamResponse;
      /** The body as it was sent. A stream has none. */
      text?: string;
      servedModel: string | undefined;
      /** The open stream, if the create was streamed. None of its events has been taken yet. */
      stream?: UpstreamStream;
    }
  /** No response exists, and none will. */
  | ({ kind: 'refused' } & Refusal)
  /** A response may exist, run and be billed. */
  | {
      kind: 'unknown';
      code: string;
      /** Set if something answered. */
      httpStatus?: number;
      /** The provider's own words, for the job's owner only. */
      message?: string;
    };

export type RetrieveAnswer =
  | {
      kind: 'found';
      response: UpstreamResponse;
      /** The body as it was sent, which a result keeps. */
      text: string;
      servedModel: string | undefined;
    }
  /** A 404. It does not prove absence: Azure answered 404 for a valid id for 32.7 s. */
  | { kind: 'absent' }
  /** The call failed, which says nothing about the response. */
  | { kind: 'failed'; code: string; retryAfterMs: number | undefined };

export type CancelAnswer =
  /** The provider says that the response stops. It may not. */
  | { kind: 'acknowledged'; response: UpstreamResponse | null; servedModel: string | undefined }
  /** Nothing is left to cancel. */
  | { kind: 'too_late' }
  | { kind: 'failed'; code: string; retryAfterMs: number | undefined };

export type StreamAnswer =
  | { kind: 'opened'; stream: UpstreamStream }
  /** The provider will not play this stream again. */
  | { kind: 'refused'; code: string }
  | { kind: 'failed'; code: string };

/** The calls to the provider. None of them throws. */
export interface Upstream {
  /** Sends a create. `body` is JSON and is sent unchanged. */
  create(body: string, model: string): Promise<LaunchAnswer>;
  /** Sends a streamed create, and resolves at the first event that has an id. */
  createStream(body: string, model: string): Promise<LaunchAnswer>;
  /** Opens a response's stream after a sequence number; -1 opens it from the beginning. */
  resumeStream(responseId: string, after: number, include: string[]): Promise<StreamAnswer>;
  /** `own`: the part of `include` that the create had, which is asked for again if the provider refuses the whole list. */
  retrieve(
    responseId: string,
    options: { signal: AbortSignal; include: string[]; own?: string[] },
  ): Promise<RetrieveAnswer>;
  cancel(responseId: string): Promise<CancelAnswer>;
}

/** Why a create ran nothing, and what follows for this job and for others. */
export type Refusal = {
  code: string;
  httpStatus: number | null;
  message: string;
  type?: string | undefined;
  /** The part of the request that the error names. */
  param?: string | undefined;
} & ({ next: 'failed' } | { next: 'queued'; hold: Omit<Hold, 'code'> });

/** What is known of a call that did not succeed. */
export interface CallFailure {
  /** Null if no HTTP answer came. */
  status: number | null;
  code: string | null;
  type: string | null;
  /** The part of the request that the error names. */
  param: string | null;
  /** The message in the error's body; null if it had none, as in a page of a gateway on the way. */
  message: string | null;
  headers: Headers | undefined;
  /** Node's code of a failed connection, such as ECONNREFUSED. */
  connectionCode: string | null;
  /** True if an established connection broke, so that the request may have arrived. */
  stoodBefore: boolean;
  timedOut: boolean;
}
