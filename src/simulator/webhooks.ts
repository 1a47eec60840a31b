import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import type { SimulatedResponse, Status } from './response.ts';

export interface WebhookTarget {
  url: string;
  /** The secret that messages are signed with. */
  secret: string;
}

/** How often the simulator looks whether a response has ended. */
const LOOK_MS = 20;
const LATE_MS = 1000;
const TRIES = 3;

const finalStatuses: ReadonlySet<Status> = new Set(['completed', 'incomplete', 'failed', 'cancelled']);

/** Sends the provider's webhooks: one for each final status that a response takes, in the way that its script says. */
export class Webhooks {
  private readonly target: WebhookTarget;
  /** The responses that may still change, with the last status that was told. */
  private readonly open = new Map<SimulatedResponse, Status>();
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  /** How many messages the receiver has accepted. */
  accepted = 0;

  constructor(target: WebhookTarget) {
    this.target = target;
  }

  watch(response: SimulatedResponse): void {
    if (response.script.webhook === 'none') return;
    this.open.set(response, response.status);
    this.timer ??= setInterval(() => this.look(), LOOK_MS).unref();
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.timer);
  }

  private look(): void {
    for (const [response, told] of this.open) {
      const { status, script } = response;
      if (status === told || !finalStatuses.has(status)) continue;
      this.open.set(response, status);
      // After a cancel it may still flip.
      if (status !== 'cancelled' || script.cancel === 'honour') this.open.delete(response);
      void this.tell(response, `response.${status}`).catch(() => {});
    }
  }

  private async tell({ id, script, speed }: SimulatedResponse, type: string): Promise<void> {
    const messageId = `wh_${randomUUID().replaceAll('-', '')}`;
    const body = JSON.stringify({
      id: `evt_${randomUUID().replaceAll('-', '')}`,
      object: 'event',
      created_at: Math.floor(Date.now() / 1000),
      type,
      data: { id },
    });
    if (script.webhook === 'late') await sleep(LATE_MS / speed);
    const copies = script.webhook === 'twice' ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) await this.send(messageId, body, script.webhook === 'forged');
  }

  private async send(messageId: string, body: string, isForged: boolean): Promise<void> {
    const secret = isForged ? `whsec_${randomBytes(24).toString('base64')}` : this.target.secret;
    for (let attempt = 1; attempt <= TRIES && !this.isClosed; attempt += 1) {
      const at = new Date();
      const headers = {
        'content-type': 'application/json',
        'webhook-id': messageId,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': new Webhook(secret).sign(messageId, at, body),
      };
      const answer = await fetch(this.target.url, { method: 'POST', headers, body }).catch(() => null);
      if (answer?.ok) this.accepted += 1;
      // Like the provider, it sends again what was not accepted.
      if (answer?.ok || answer?.status === 400) return;
      await sleep(LATE_MS * attempt);
    }
  }
}
