import type { Api } from '../../api/schemas.ts';
import { type ApiDocument, docsPage } from './docs-page.ts';

/** The description of the API, as a page and as an OpenAPI document. */
export function docsRoutes(app: Api): void {
  for (const path of ['/docs', '/docs/'])
    app.get(path, async ({ caller, protocol, host, basePath }, reply) =>
      reply
        .type('text/html; charset=utf-8')
        .send(docsPage(caller, app.swagger() as ApiDocument, `${protocol}://${host}${basePath}`)),
    );
  app.get('/docs/json', () => app.swagger());
}
