import formBody from '@fastify/formbody';
import type { Producer } from '../../producer/producer.ts';
import type { CancellationDriver } from '../../shared/store/cancellation-driver.ts';
import type { Sessions } from '../../shared/store/sessions.ts';
import type { Caller, KeyRing } from '../access/key-ring.ts';
import { SignInLimit } from '../access/sign-in-limit.ts';
import type { Api } from '../api/schemas.ts';
import { assetRoutes } from './assets.ts';
import { cancellationPageRoutes } from './cancellations/routes.ts';
import { descriptionRoutes } from './description/routes.ts';
import { jobPageRoutes } from './jobs/routes.ts';
import { NOTICES, Notices } from './notices.ts';
import { overviewRoutes } from './overview/routes.ts';
import { signInRoutes } from './sign-in/routes.ts';
import { wastePageRoutes } from './waste/routes.ts';

export interface PageParts {
  producer: Producer;
  driver: CancellationDriver;
  sessions: Sessions;
  /** Null if nobody signs in. */
  keyRing: KeyRing | null;
}

/** The longest form is a list of a thousand selected jobs. */
const MOST_FORM_BYTES = 128_000;

/** The pages for people. They are rendered by the server and work without scripts. */
export async function pageRoutes(app: Api, { producer, driver, sessions, keyRing }: PageParts): Promise<void> {
  await assetRoutes(app);
  const notices = new Notices(producer);
  // Pages for what went wrong are no routes of this scope, and have notices too.
  app.addHook('onSend', async ({ caller }, reply, page) => {
    const isPage = typeof page === 'string' && String(reply.getHeader('content-type')).startsWith('text/html');
    if (!isPage || !page.includes(NOTICES)) return page;
    const known = caller as Caller | null;
    // Nobody is known where no key was given.
    return await withNotices(page, known ? notices.markup(known.admin ? 'admins' : 'tenants') : '');
  });
  await app.register(async scope => {
    await scope.register(formBody, { bodyLimit: MOST_FORM_BYTES });
    scope.addHook('onRoute', route => {
      route.schema = { ...route.schema, hide: true };
    });
    overviewRoutes(scope, producer, notices);
    if (keyRing) signInRoutes(scope, keyRing, sessions, new SignInLimit(producer.store));
    jobPageRoutes(scope, producer, keyRing);
    cancellationPageRoutes(scope, producer, driver);
    wastePageRoutes(scope, producer);
    descriptionRoutes(scope);
  });
}

async function withNotices(page: string, markup: string | Promise<string>): Promise<string> {
  const [before = '', ...after] = page.split(NOTICES);
  return [before, await markup, ...after].join('');
}
