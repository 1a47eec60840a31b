import { APIConnectionError, APIError, APIUserAbortError } from 'openai';
import { HeadstoneError, isErrorCode } from '../../shared/contract/errors.ts';

/** The server, or a proxy in front of it, does not answer now. The same call may succeed later. */
export class ServerUnavailable extends Error {
  /** True if the call may have been carried out and only its answer is missing. */
  readonly mayHaveArrived: boolean;

  constructor(message: string, mayHaveArrived: boolean, cause: unknown) {
    super(message, { cause });
    this.mayHaveArrived = mayHaveArrived;
  }
}

/** Codes of a connection that was never established, so that nothing was sent. */
const neverConnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'bad port']);

/** Turns an error of the openai client into one that says what to do. If the server sent a sentence, that is kept. */
export function explainServerError(error: unknown, url: string): unknown {
  if (error instanceof HeadstoneError || error instanceof APIUserAbortError) return error;
  if (error instanceof APIConnectionError || !(error instanceof APIError) || error.status === undefined) {
    const cause = causeOf(error);
    return new ServerUnavailable(
      `No Headstone server answers at ${url} (${cause}). Start one with "headstone server", or point --server at one that runs.`,
      !neverConnected.has(cause),
      error,
    );
  }
  const { message } = (error.error ?? {}) as { message?: string };
  if (error.status < 400)
    return new Error(`${url} redirects to ${error.headers?.get('location') ?? 'another URL'}. Use that as --server.`);
  if (message !== undefined && error.status === 401)
    return new Error(`${url} needs a valid key. Set HEADSTONE_API_KEY to one of the server’s keys.`);
  if (message !== undefined && isErrorCode(error.code)) return new HeadstoneError(error.code, message);
  const words = `${url} answered ${error.status}${message === undefined ? '' : ` (${message})`}, which is not how a Headstone server answers. Check --server.`;
  return error.status >= 500 || error.status === 429 ? new ServerUnavailable(words, true, error) : new Error(words);
}

export function mayPass(error: unknown): boolean {
  return error instanceof ServerUnavailable || (error instanceof HeadstoneError && error.retryable);
}

/** The code or message of the innermost error, like ECONNREFUSED. The errors around it say nothing more. */
function causeOf(error: unknown): string {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause !== undefined) innermost = innermost.cause;
  const { code, message } = innermost as NodeJS.ErrnoException;
  return code ?? message;
}
