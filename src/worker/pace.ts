import type { Configuration } from '../shared/runtime/settings.ts';
import type { Store } from '../shared/store/store.ts';

const ASKED_EVERY_MS = 30_000;

/** While webhooks arrive, polls are only there for those that get lost. */
const CALMER_FIRST = 15;
const CALMER = 10;
/** The provider may delete a response after ten minutes. */
const LONGEST_MS = 300_000;

/** A response whose id was lost is named by its webhook, which may be late. */
const GRACE_MS = 15 * 60_000;

/** How often responses are polled, and how long a launch without an answer is waited for. Webhooks make both longer. */
export class Pace {
  private readonly store: Store;
  private readonly configuration: Configuration;
  private areHeard = false;
  private askedAt = Number.NEGATIVE_INFINITY;

  constructor(store: Store, configuration: Configuration) {
    this.store = store;
    this.configuration = configuration;
  }

  get pollMinMs(): number {
    const { pollMinMs } = this.configuration;
    return this.hasWebhooks ? Math.min(pollMinMs * CALMER_FIRST, Math.max(pollMinMs, LONGEST_MS)) : pollMinMs;
  }

  get pollMaxMs(): number {
    const { pollMaxMs } = this.configuration;
    return this.hasWebhooks ? Math.min(pollMaxMs * CALMER, Math.max(pollMaxMs, LONGEST_MS)) : pollMaxMs;
  }

  get unknownGraceMs(): number {
    const { unknownGraceMs } = this.configuration;
    return this.hasWebhooks ? Math.max(unknownGraceMs, GRACE_MS) : unknownGraceMs;
  }

  /** True if the provider's webhooks have arrived within the last hour. Asks again now and then, and does not wait for it. */
  private get hasWebhooks(): boolean {
    const now = performance.now();
    if (now - this.askedAt > ASKED_EVERY_MS) {
      this.askedAt = now;
      void this.ask().catch(() => {});
    }
    return this.areHeard;
  }

  async ask(): Promise<void> {
    const { home } = this.store;
    this.areHeard = (await home.ask(client => client.exists(home.keys.webhooks()))) === 1;
  }
}
