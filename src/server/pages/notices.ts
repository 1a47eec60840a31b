import { html } from 'ghtml';
import type { Producer } from '../../producer/producer.ts';
import { publicMessage } from '../../shared/contract/errors.ts';
import { heldLaunches } from '../../shared/contract/holds.ts';
import { age } from '../../shared/runtime/format.ts';

/** Where the notices stand in every page. It is replaced when the page is sent. */
export const NOTICES = '<!--notices-->';

/** The same notices are shown for this long, so that a page costs no more reads than its own. */
const KEPT_MS = 2000;

/** What hinders the deployment now, for the top of every page. */
export class Notices {
  private readonly producer: Producer;
  private known = { admins: '', tenants: '' };
  private readAt = Number.NEGATIVE_INFINITY;
  private reading: Promise<void> | undefined;
  private changes = 0;

  constructor(producer: Producer) {
    this.producer = producer;
  }

  /** The notices as markup; empty if nothing hinders. */
  async markup(reader: 'admins' | 'tenants'): Promise<string> {
    if (performance.now() - this.readAt > KEPT_MS) {
      this.reading ??= this.read();
      const { reading } = this;
      await reading;
      if (this.reading === reading) this.reading = undefined;
    }
    return this.known[reader];
  }

  /** Reads them anew for the next page, because somebody has just changed what they say. */
  forget(): void {
    this.readAt = Number.NEGATIVE_INFINITY;
    // A reading that is under way may have begun before the change.
    this.reading = undefined;
    this.changes += 1;
  }

  private async read(): Promise<void> {
    const { changes } = this;
    const known = await this.sentences().then(
      sentences => ({
        admins: markupOf(sentences.map(({ text }) => text)),
        tenants: markupOf(sentences.filter(({ isForAll }) => isForAll).map(({ text }) => text)),
      }),
      (error: unknown) => {
        const said = markupOf([html`${publicMessage(error)}`]);
        return { admins: said, tenants: said };
      },
    );
    if (changes !== this.changes) return;
    this.known = known;
    this.readAt = performance.now();
  }

  private async sentences(): Promise<Sentence[]> {
    const [depths, holds] = await Promise.all([this.producer.depths(), this.producer.holds()]);
    const now = Date.now();
    const isUnserved =
      depths.lanes_unserved.length === depths.lanes - depths.lanes_away.length && depths.lanes_unserved.length > 0;
    // While nothing is launched, nothing is tried.
    const isIdle = depths.launch_paused || isUnserved;
    return [
      ...(depths.launch_paused
        ? [forAll(`Launching is paused.${isUnserved ? '' : ' Running jobs continue, and cancels still work.'}`)]
        : []),
      ...holds
        .filter(({ kind, waiting }) => kind === 'alarm' || waiting > 0)
        .map(({ scope, code, waiting, next_try_at }) =>
          forAdmins(
            html`Held: ${heldLaunches(scope)} (${code}). ${waiting} ${waiting === 1 ? 'job waits' : 'jobs wait'}${isIdle ? '' : nextTry(next_try_at - now)}.`,
          ),
        ),
      ...(depths.store === 'full' ? [forAll('The store is full. New jobs are refused, and cancels still work.')] : []),
      ...depths.lanes_away.map(lane =>
        forAdmins(html`Lane ${lane} cannot be reached. Its jobs are waiting, and the numbers here leave them out.`),
      ),
      ...(isUnserved
        ? [
            forAdmins(
              'No worker is running, so nothing is sent to the provider or read from it. Start one: headstone worker',
            ),
          ]
        : []),
    ];
  }
}

interface Sentence {
  /** Markup. */
  text: string;
  /** False if it is about what only an operator can mend, or names another tenant. */
  isForAll: boolean;
}

const forAll = (text: string): Sentence => ({ text, isForAll: true });
const forAdmins = (text: string): Sentence => ({ text, isForAll: false });

function markupOf(sentences: string[]): string {
  return sentences.map(text => html`<p class="notice bad" role="status">!${text}</p>`).join('\n');
}

function nextTry(inMs: number): string {
  return inMs < 1000 ? '; the next try is due' : `; the next try is in ${age(inMs)}`;
}
