import swagger from '@fastify/swagger';
import { createJsonSchemaTransform } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Api } from './api/schemas.ts';

/** Serves the routes that have schemas as OpenAPI 3.1, which /docs shows. */
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
    transform: createJsonSchemaTransform({ zodToJsonConfig: { unrepresentable: 'any', override: describeCounted } }),
    hideUntagged: true,
  });
}

/** A list that is counted before it is checked (see `counted`) is described by what is checked. */
function describeCounted({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: object }): void {
  const { def } = zodSchema._zod;
  if (def.type !== 'pipe' || def.in._zod.def.type !== 'custom') return;
  const { $schema: _, ...checked } = z.toJSONSchema(def.out, { io: 'input', unrepresentable: 'any' });
  Object.assign(jsonSchema, checked);
}
