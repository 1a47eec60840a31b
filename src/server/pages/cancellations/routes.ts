import { z } from 'zod';
import type { Producer } from '../../../producer/producer.ts';
import { type CancellationFilter, cancellationFilterSchema } from '../../../shared/contract/cancellation.ts';
import { HeadstoneError, parseInput } from '../../../shared/contract/errors.ts';
import { jobIdSchema, reasonSchema } from '../../../shared/contract/words.ts';
import type { CancellationDriver } from '../../../shared/store/cancellation-driver.ts';
import { assertAdmin } from '../../access/permissions.ts';
import { type Api, idParamsSchema } from '../../api/schemas.ts';
import { optionalField } from '../form.ts';
import { cancellationsPage, confirmationPage, progressPage } from './pages.ts';
import { averagesOf } from './worth.ts';

const wishSchema = z.strictObject({
  /** Set by the list's form, which cancels only the selected jobs. */
  selected: optionalField(z.literal('1')),
  ids: z.union([jobIdSchema.transform(id => [id]), z.array(jobIdSchema)]).optional(),
  status: optionalField(z.string()),
  tenant: optionalField(z.string()),
  tag: optionalField(z.string()),
  model: optionalField(z.string()),
  since: optionalField(z.string()),
  until: optionalField(z.string()),
});

const orderSchema = z.object({ filter: z.string(), reason: optionalField(reasonSchema) });

/** The pages for cancelling many jobs: the question with figures, the order, and its progress. */
export function cancellationPageRoutes(app: Api, producer: Producer, driver: CancellationDriver): void {
  const { cancellations } = producer;

  const worth = async () => {
    const [models, wasted] = await producer.store.wasteBy(['model', 'cancellation'], {});
    return { averages: averagesOf(models.data), wasted: wasted.data, now: producer.store.home.now() };
  };

  app.get('/cancellations', { schema: { querystring: z.strictObject({}) } }, async ({ caller }, reply) => {
    assertAdmin(caller);
    const [all, figures] = await Promise.all([cancellations.list(), worth()]);
    return reply.type('text/html; charset=utf-8').send(cancellationsPage({ caller, cancellations: all, ...figures }));
  });

  app.get('/cancellations/new', { schema: { querystring: wishSchema } }, async ({ query, caller }, reply) => {
    assertAdmin(caller);
    const filter = filterOf(query);
    return reply
      .type('text/html; charset=utf-8')
      .send(confirmationPage(caller, filter, await cancellations.estimate(filter)));
  });

  app.post('/cancellations', { schema: { body: orderSchema } }, async ({ body, caller }, reply) => {
    assertAdmin(caller);
    const filter = parseInput(cancellationFilterSchema, readFilter(body.filter));
    const { keyName } = caller;
    const { id } = await cancellations.begin(filter, {
      reason: body.reason,
      actor: keyName ?? 'operator',
      ...(keyName === null ? {} : { keyName }),
    });
    driver.drive(id);
    return reply.redirect(`/cancellations/${id}`, 303);
  });

  app.get('/cancellations/:id', { schema: { params: idParamsSchema } }, async ({ params, caller }, reply) => {
    assertAdmin(caller);
    const [cancellation, { wasted, ...figures }] = await Promise.all([cancellations.get(params.id), worth()]);
    return reply
      .type('text/html; charset=utf-8')
      .send(progressPage({ caller, cancellation, ...figures, wasted: wasted.find(({ key }) => key === params.id) }));
  });

  app.post('/cancellations/:id/stop', { schema: { params: idParamsSchema } }, async ({ params, caller }, reply) => {
    assertAdmin(caller);
    await cancellations.stop(params.id);
    return reply.redirect(`/cancellations/${params.id}`, 303);
  });
}

function filterOf({ selected, ids, ...rest }: z.output<typeof wishSchema>): CancellationFilter {
  if (ids) return { ids };
  if (selected)
    throw new HeadstoneError('invalid_request', 'No job was selected. Select the jobs to cancel, and try again.');
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return parseInput(cancellationFilterSchema, given.length === 0 ? { all: true } : Object.fromEntries(given));
}

function readFilter(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HeadstoneError('invalid_request', 'The form could not be read. Go back and send it again.');
  }
}
