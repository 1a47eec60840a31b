import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { Job } from '../../shared/contract/job.ts';
import { MOST_METADATA_PAIRS } from '../../shared/contract/request.ts';

/** On a request it chooses; on an answer it says whether the create became a job and, after 0, why it did not. */
export const UPGRADE_HEADER = 'x-headstone-upgrade';
export const DISCONNECT_HEADER = 'x-headstone-on-disconnect';

const REMEMBERED_MS = 600_000;
const MOST_REMEMBERED = 1000;

type Body = Record<string, unknown>;
type Headers = Record<string, string | string[] | undefined>;

/** Decides which creates without `background` become jobs. */
export class Upgrade {
  private readonly isUsual: boolean;
  /** Models that the provider does not run in the background, and until when that is believed. */
  private readonly refused = new Map<string, number>();

  constructor(isUsual: boolean) {
    this.isUsual = isUsual;
  }

  /** Whether the caller wants it, by the request's header or else by the setting. */
  isWanted(headers: Headers): boolean {
    return choice(headers, UPGRADE_HEADER, { 1: true, 0: false }) ?? this.isUsual;
  }

  /** Why this create must go to the provider as it is; undefined if it can become a job. */
  obstacleTo(body: Body, tenant: string): string | undefined {
    if (body.store === false) return 'store is false';
    if (body.conversation !== undefined && body.conversation !== null) return 'conversation is given';
    const { metadata, model } = body;
    if (typeof metadata === 'object' && metadata !== null && Object.keys(metadata).length > MOST_METADATA_PAIRS)
      return `metadata has more than ${MOST_METADATA_PAIRS} pairs`;
    if (typeof model === 'string' && (this.refused.get(keyOf(tenant, model)) ?? 0) > performance.now())
      return NO_BACKGROUND;
    return undefined;
  }

  /**
   * Why the provider refused the job, if that was only because it ran in the background: with this model, or for an
   * organization with zero data retention. The tenant's other creates of the model are not tried for a while.
   */
  obstacleOf(job: Job): string | undefined {
    const { message = '', refusal } = job.outcome?.error ?? {};
    if (refusal?.http_status !== 400 && refusal?.http_status !== 403) return undefined;
    // An error that names another part of the request is about that part, whatever words it has.
    const isForIt = refusal.param === undefined ? saysSo.test(message) : /^(background|store)$/.test(refusal.param);
    if (!isForIt) return undefined;
    if (this.refused.size >= MOST_REMEMBERED) this.refused.clear();
    this.refused.set(keyOf(job.tenant, job.model), performance.now() + REMEMBERED_MS);
    return NO_BACKGROUND;
  }
}

const NO_BACKGROUND = 'the provider does not run this model in the background';

const saysSo =
  /\bbackground (mode|responses?)\b|['"`]background['"`] is not|\bnot (be )?(supported|available|allowed|run) in (the )?background\b|zero[ -]data[ -]retention/i;

const keyOf = (tenant: string, model: string) => JSON.stringify([tenant, model]);

/** False if the caller asked that the job goes on without it. */
export function endsWithCaller(headers: Headers): boolean {
  return choice(headers, DISCONNECT_HEADER, { cancel: true, continue: false }) ?? true;
}

/** The value of a header as one of the words it may have; undefined if it was not sent. */
function choice(headers: Headers, name: string, words: Record<string, boolean>): boolean | undefined {
  const word = headers[name];
  if (word === undefined) return undefined;
  if (typeof word === 'string' && Object.hasOwn(words, word)) return words[word];
  throw new HeadstoneError('invalid_request', `The header ${name} must be ${Object.keys(words).join(' or ')}.`);
}
