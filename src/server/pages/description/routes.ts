import type { Api } from '../../api/schemas.ts';
import { type ApiDocument, descriptionPage } from './description-page.ts';

/** The description of the API, as a page and as an OpenAPI document. */
export function descriptionRoutes(app: Api): void {
  for (const path of ['/docs', '/docs/'])
    app.get(path, async ({ caller, protocol, host, basePath }, reply) =>
      reply
        .type('text/html; charset=utf-8')
        .send(descriptionPage(caller, app.swagger() as ApiDocument, `${protocol}://${host}${basePath}`)),
    );
  app.get('/docs/json', () => app.swagger());
}
