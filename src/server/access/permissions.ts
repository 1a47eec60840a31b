import type { Producer } from '../../producer/producer.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { Located } from '../../shared/store/locate.ts';
import type { Caller, KeyRing } from './key-ring.ts';

/*
 * Who may do what. An admin acts for every tenant, anybody else for their own (I12). Where nobody signs in, every caller is the
 * operator of this machine, who is an admin.
 */

/** Throws `insufficient_permissions` for what concerns every tenant. */
export function assertAdmin(caller: Caller): void {
  if (!caller.admin) throw new HeadstoneError('insufficient_permissions', 'This needs an admin key.');
}

/** No tenant can have this name, so there are no jobs and no sums of it. */
const NOBODY = '|';

/**
 * The tenant whose jobs a list or a sum shows; undefined for all of them, which only an admin sees. Who asks for another tenant
 * finds nothing there.
 */
export function tenantShown(caller: Caller, asked: string | undefined): string | undefined {
  if (caller.admin) return asked;
  return asked === undefined || asked === caller.tenant ? caller.tenant : NOBODY;
}

/** The tenant that a new job belongs to. Throws `invalid_request` if the caller names another tenant and is no admin. */
export function tenantOfNewJob(caller: Caller, named: string | undefined): string {
  if (named === undefined || named === caller.tenant || caller.admin) return named ?? caller.tenant;
  throw new HeadstoneError(
    'invalid_request',
    'headstone.tenant needs an admin key. Without it, the job belongs to your own tenant.',
    { param: 'headstone.tenant' },
  );
}

/** True if the ids that a caller chooses are its tenant's own. On this machine and in process all ids are one namespace. */
export function hasOwnIds({ keyName }: Caller): boolean {
  return keyName !== null;
}

/** Finds a job that the caller may see. Another tenant's job is as absent as one that never was. Throws `job_not_found`. */
export async function locateJob(
  producer: Producer,
  id: string,
  { tenant, admin }: Caller,
  sought: Sought = 'Job',
): Promise<Located> {
  const located = await producer.locate(id, { tenant, seesAll: admin });
  if (!located) throw notFound(id, sought);
  return located;
}

/** What the caller asked for. OpenAI's clients ask for a response, and get OpenAI's words. */
type Sought = 'Job' | 'Response';

export function notFound(id: string, sought: Sought): HeadstoneError {
  return new HeadstoneError('job_not_found', `${sought} with id '${id}' not found.`);
}

/**
 * True if other tenants use the account at the provider that the caller's requests use. They may be tenants of the app that
 * have no key.
 */
export async function sharesAccount(caller: Caller, producer: Producer, severalHaveKeys: boolean): Promise<boolean> {
  if (caller.keyName === null || caller.admin) return false;
  return severalHaveKeys || !(await producer.ownsEverything(caller.tenant));
}

/** True if the caller may see the board, which shows the jobs of all tenants. Only an admin may change anything there. */
export async function maySeeBoard(caller: Caller, producer: Producer, keyRing: KeyRing | null): Promise<boolean> {
  if (caller.admin) return true;
  return !keyRing?.holdsSeveralTenants && (await producer.ownsEverything(caller.tenant));
}
