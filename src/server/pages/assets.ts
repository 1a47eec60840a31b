import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { Api } from '../api/schemas.ts';
import { styleSheet } from './style/sheet.ts';

const HOUR_S = 3600;

/** The icon: an arched headstone in the colours of the style sheet. */
const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path fill="#5b6ee1" d="M4 22v-1.5h1.5V10a6.5 6.5 0 0 1 13 0v10.5H20V22z"/><path fill="none" stroke="#fff" stroke-width="1.8" stroke-linecap="round" d="M9.2 9.2l5.6 5.6m0-5.6l-5.6 5.6"/></svg>`;

/** Serves everything that the pages load, so that no page asks another server. */
export async function assetRoutes(app: Api): Promise<void> {
  const hidden = { schema: { hide: true } };
  const { resolve } = createRequire(import.meta.url);
  const chartFile = join(resolve('chart.js'), '..', 'chart.umd.min.js');
  const morphFile = resolve('idiomorph/dist/idiomorph.esm.js');
  app.get('/assets/style.css', hidden, (_request, reply) =>
    reply.type('text/css').header('cache-control', `max-age=${HOUR_S}`).send(styleSheet),
  );
  app.get('/assets/icon.svg', hidden, (_request, reply) =>
    reply.type('image/svg+xml').header('cache-control', `max-age=${HOUR_S}`).send(icon),
  );
  app.get('/assets/chart.umd.js', hidden, (_request, reply) =>
    reply.type('text/javascript').header('cache-control', `max-age=${HOUR_S}`).send(createReadStream(chartFile)),
  );
  app.get('/assets/idiomorph.js', hidden, (_request, reply) =>
    reply.type('text/javascript').header('cache-control', `max-age=${HOUR_S}`).send(createReadStream(morphFile)),
  );
  await app.register(fastifyStatic, {
    root: fileURLToPath(new URL('./browser/', import.meta.url)),
    prefix: '/assets/',
    decorateReply: false,
    schemaHide: true,
    allowedPath: path => path.endsWith('.js'),
  });
}
