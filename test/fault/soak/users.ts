import { setTimeout as sleep } from 'node:timers/promises';
import { OpenAI } from 'openai';
import type { Producer } from '../../../src/producer/producer.ts';
import { HeadstoneError } from '../../../src/shared/contract/errors.ts';
import { isOutcome, type OutcomeStatus, type Verdict } from '../../../src/shared/contract/words.ts';
import { scripted } from '../../support/harness.ts';
import { Fatal, insist as insistFor } from '../patience.ts';
import type { Random } from '../random.ts';
import type { History } from './history.ts';
import type { Order, Way } from './orders.ts';

export interface UsersOptions {
  producer: Producer;
  /** The base URL of the provider. */
  providerUrl: string;
  /** The servers that can be asked at the moment. */
  servers(): string[];
  history: History;
  random: Random;
}

/** How long a user tries before they give up. */
const PATIENCE_MS = 120_000;
const CALL_MS = 15_000;

/** People and apps: they order jobs, cancel them, look at them, and repeat what failed. */
export class Users {
  /** What a user would complain of. */
  readonly complaints: string[] = [];
  /** Why some had no answer, however often they tried. Too much at once for a machine is no broken promise. */
  readonly gaveUp: string[] = [];
  readonly ordered: Record<Way, number> = { enqueue: 0, http: 0, upgrade: 0, stream: 0, adopt: 0 };
  /** The jobs that somebody was told of. */
  readonly accepted = new Set<string>();
  /** How many creates there were for each order: one, unless a user who had no answer began anew. */
  readonly sent = new Map<number, number>();
  /** The orders whose callers left without an answer. */
  readonly deserted = new Set<number>();
  private readonly options: UsersOptions;
  private readonly client: OpenAI;
  private readonly provider: OpenAI;

  constructor(options: UsersOptions) {
    this.options = options;
    // As through a load balancer, which sends each try to a server that is well.
    const balanced: typeof fetch = async (input, init) => {
      const { pathname, search } = new URL(String(input));
      return await fetch(new URL(pathname + search, options.random.pick(options.servers())), init);
    };
    this.client = new OpenAI({
      apiKey: 'any',
      baseURL: 'http://balanced/v1',
      fetch: balanced,
      maxRetries: 8,
      timeout: CALL_MS,
    });
    this.provider = new OpenAI({ apiKey: 'any', baseURL: options.providerUrl, maxRetries: 5 });
  }

  /** Resolves when the user has what they ordered, or has complained. */
  async order(order: Order): Promise<void> {
    this.ordered[order.way] += 1;
    try {
      await this[order.way](order);
    } catch (error) {
      const list = error instanceof Fatal ? this.complaints : this.gaveUp;
      list.push(`${order.way} ${order.number}: ${error instanceof Error ? error.message : error}`);
    }
  }

  private async enqueue(order: Order): Promise<void> {
    const { producer } = this.options;
    const id = `order-${order.number}`;
    this.count(order);
    await insist(() => producer.enqueue(requestOf(order), { id }));
    await this.attend(id, order);
  }

  private async http(order: Order): Promise<void> {
    const { id } = await insist(() => {
      this.count(order);
      return this.client.responses.create({ ...requestOf(order), background: true });
    });
    await this.attend(id, order);
  }

  private async adopt(order: Order): Promise<void> {
    const { id } = await this.provider.responses.create({ ...requestOf(order), background: true });
    await insist(() => this.options.producer.adopt(id));
    await this.attend(id, order);
  }

  /** A plain create: its answer is the result, and its abort is the cancel. */
  private async upgrade({ cancelAfterMs, ...order }: Order): Promise<void> {
    const leaving = new AbortController();
    if (cancelAfterMs !== null) void sleep(cancelAfterMs).then(() => leaving.abort());
    const { signal } = leaving;
    await insist(async () => {
      try {
        this.count(order);
        const answer = await this.client.responses.create(requestOf(order), { signal });
        if (answer.status !== 'completed') throw new Fatal(`The answer is ${answer.status}.`);
      } catch (error) {
        const isLost = error instanceof OpenAI.APIError && error.code === 'launch_unknown';
        if (signal.aborted) this.deserted.add(order.number);
        else if (!isLost) throw error;
      }
    });
  }

  /** A stream that breaks is gone on with where it broke. */
  private async stream(order: Order): Promise<void> {
    let [id, last] = ['', -1];
    const begin = () => {
      this.count(order);
      return this.client.responses.create({ ...requestOf(order), background: true, stream: true });
    };
    const read = async () => {
      let hasText = false;
      const events =
        id === '' ? await begin() : await this.client.responses.retrieve(id, { stream: true, starting_after: last });
      for await (const event of events) {
        const status = 'response' in event ? event.response.status : undefined;
        // Of a job without a result only the end is shown, and its number says how much is left out (I1).
        const isCutShort = isOutcome(String(status)) && status !== 'completed';
        if (event.sequence_number !== last + 1 && !isCutShort)
          throw new Fatal(`Its stream has ${event.sequence_number} after ${last}.`);
        last = event.sequence_number;
        hasText ||= event.type === 'response.output_text.delta';
        if (event.type === 'response.created') {
          id = event.response.id;
          this.accepted.add(id);
          void this.look(id, order);
          void this.cancelInTime(id, order);
        }
        if ('response' in event && isOutcome(String(status))) return { ...event.response, hasText };
      }
      throw new Error('The stream ended without an outcome.');
    };
    await insist(async () =>
      this.options.history.ask(
        () => id,
        'a stream',
        read,
        ({ status, output, hasText }) => ({
          said: status as OutcomeStatus,
          hasResult: output.length > 0,
          hasText,
        }),
      ),
    );
  }

  /** Waits for the outcome of a job that was accepted, and meanwhile looks at it, and perhaps cancels it. */
  private async attend(id: string, order: Order): Promise<void> {
    const { producer, history } = this.options;
    this.accepted.add(id);
    const wait = insist(() =>
      history.ask(
        id,
        'a wait',
        () => producer.wait(id),
        finished => ({ said: finished.status, hasResult: 'response' in finished }),
      ),
    );
    await Promise.all([wait, this.look(id, order), this.cancelInTime(id, order)]);
    await this.read(id);
  }

  private async look(id: string, { readAfterMs }: Order): Promise<void> {
    await Promise.all(readAfterMs.map(async afterMs => sleep(afterMs).then(() => this.read(id))));
  }

  /** Reads a job by the library or over HTTP. */
  private async read(id: string): Promise<void> {
    const { producer, history, random } = this.options;
    if (random.chance(0.5))
      return void (await insist(() =>
        history.ask(
          id,
          'a read',
          async () => {
            const job = await producer.get(id);
            if (!job) throw new Fatal(`I5: ${id} is gone.`);
            return job;
          },
          ({ outcome, response }) => ({ said: outcome?.status ?? 'open', hasResult: response !== null }),
        ),
      ));
    await insist(() =>
      history.ask(
        id,
        'a read',
        () => this.client.responses.retrieve(id),
        ({ status, output }) => ({
          said: isOutcome(String(status)) ? (status as OutcomeStatus) : 'open',
          hasResult: output.length > 0,
        }),
      ),
    );
  }

  /** Cancels a job by the library or over HTTP. */
  private async cancelInTime(id: string, { cancelAfterMs }: Order): Promise<void> {
    const { producer, history, random } = this.options;
    if (cancelAfterMs === null) return;
    await sleep(cancelAfterMs);
    const body = { actor: 'a user', reason: 'changed their mind' };
    const overHttp = async () =>
      (await this.client.post<{ headstone: { verdict: Verdict } }>(`/responses/${id}/cancel`, { body })).headstone;
    const isOverHttp = random.chance(0.5);
    await insist(() =>
      history.ask(
        id,
        'a cancel',
        async () => {
          const { verdict } = isOverHttp ? await overHttp() : await producer.cancel(id, body);
          if (verdict === 'not_found') throw new Fatal(`I5: ${id} is gone.`);
          return verdict;
        },
        verdict => ({ said: verdict.replace('already_', '') as OutcomeStatus, won: verdict === 'cancelled' }),
      ),
    );
  }

  private count({ number }: Pick<Order, 'number'>): void {
    this.sent.set(number, (this.sent.get(number) ?? 0) + 1);
  }
}

function requestOf({ number, script }: Pick<Order, 'number' | 'script'>) {
  return scripted(script, promptOf(number));
}

export function promptOf(number: number): string {
  return `Prompt ${number}`;
}

async function insist<Answer>(attempt: () => Promise<Answer>): Promise<Answer> {
  return await insistFor(
    () =>
      attempt().catch((error: unknown) => {
        // A job that was accepted is on record for a week.
        if (isGone(error)) throw new Fatal(`I5: ${error.message}`);
        throw error;
      }),
    PATIENCE_MS,
  );
}

function isGone(error: unknown): error is Error {
  return (
    (error instanceof HeadstoneError && error.code === 'job_not_found') ||
    (error instanceof OpenAI.APIError && error.status === 404)
  );
}
