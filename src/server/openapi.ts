import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { createJsonSchemaTransform } from 'fastify-type-provider-zod';
import type { Api } from './api/schemas.ts';
import { setContentPolicy } from './security-headers.ts';

/** Serves the routes that have schemas as OpenAPI 3.1: as a page at /docs, and as a document at /docs/json. */
export async function describeApi(app: Api): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Headstone',
        description: 'OpenAI-compatible background Responses whose cancel sticks.',
        version: '1',
      },
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
      security: [{ apiKey: [] }],
    },
    // Many schemas transform what they read, and OpenAPI has no word for that, so the document shows those as any value.
    transform: createJsonSchemaTransform({ zodToJsonConfig: { unrepresentable: 'any' } }),
    hideUntagged: true,
  });
  await app.register(async scope => {
    // Swagger's page writes styles into its elements.
    setContentPolicy(scope, { style: "'self' 'unsafe-inline'" });
    await scope.register(swaggerUi, { routePrefix: '/docs' });
  });
}
