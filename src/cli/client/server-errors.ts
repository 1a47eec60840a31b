import { APIConnectionError, APIError, APIUserAbortError } from 'openai';
import { HeadstoneError, isErrorCode } from '../../shared/contract/errors.ts';

/** The server, or what stands before it, has no answer now; the same call may get one later. */
export class ServerUnavailable extends Error {
  /** True where the call may have been carried out all the same: only its answer is missing. */
  readonly mayHaveArrived: boolean;

  constructor(message: string, mayHaveArrived: boolean, cause: unknown) {
    super(message, { cause });
    this.mayHaveArrived = mayHaveArrived;
  }
}

/** Nothing was sent: no connection stood. */
const neverConnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'bad port']);

/** An error of the openai client as one that says what to do; the server's own sentence where it had one. */
export function explainServerError(error: unknown, url: string): unknown {
  if (error instanceof HeadstoneError || error instanceof APIUserAbortError) return error;
  if (error instanceof APIConnectionError || !(error instanceof APIError) || error.status === undefined) {
    const cause = causeOf(error);
    return new ServerUnavailable(
      `No Headstone server answers at ${url} (${cause}): start one with "headstone server", or point --server at one that runs.`,
      !neverConnected.has(cause),
      error,
    );
  }
  const { message } = (error.error ?? {}) as { message?: string };
  if (error.status < 400)
    return new Error(`${url} sends to ${error.headers?.get('location') ?? 'another place'}: give that as --server.`);
  if (message !== undefined && error.status === 401)
    return new Error(`${url} wants a key that it knows: set HEADSTONE_API_KEY to one of its keys.`);
  if (message !== undefined && isErrorCode(error.code)) return new HeadstoneError(error.code, message);
  const words = `${url} answered ${error.status}${message === undefined ? '' : ` (${message})`}, and not as a Headstone server does: check --server.`;
  return error.status >= 500 || error.status === 429 ? new ServerUnavailable(words, true, error) : new Error(words);
}

export function mayPass(error: unknown): boolean {
  return error instanceof ServerUnavailable || (error instanceof HeadstoneError && error.retryable);
}

/** What the innermost error says, like ECONNREFUSED: the layers around it say nothing more. */
function causeOf(error: unknown): string {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause !== undefined) innermost = innermost.cause;
  const { code, message } = innermost as NodeJS.ErrnoException;
  return code ?? message;
}
