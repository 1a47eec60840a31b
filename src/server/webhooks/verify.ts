import type { OpenAI } from 'openai';
import { z } from 'zod';

/** An event about a response. Those about other things are acknowledged and ignored. */
const eventSchema = z.looseObject({ type: z.string(), data: z.looseObject({ id: z.string() }).optional() });
export type WebhookEvent = z.output<typeof eventSchema>;

/** OpenAI's own check of a webhook's signature. Azure signs in the same way (learn.microsoft.com, “Azure OpenAI webhooks”). */
export class Verifier {
  private readonly secrets: string[];
  private client: Promise<OpenAI> | undefined;

  /** `secrets` are tried in their order: while they are rotated there are two. */
  constructor(secrets: string[]) {
    this.secrets = secrets;
  }

  /** The event of a raw body; null if it is not signed by any of the secrets, is too old, or is no event. */
  async verified(body: string, headers: Record<string, string | string[] | undefined>): Promise<WebhookEvent | null> {
    const { webhooks } = await this.opened();
    const given = Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value] as [string, string]] : [],
    );
    for (const secret of this.secrets)
      try {
        await webhooks.verifySignature(body, new Headers(given), secret);
        return eventSchema.safeParse(JSON.parse(body)).data ?? null;
      } catch {
        // Another secret may be the right one.
      }
    return null;
  }

  private async opened(): Promise<OpenAI> {
    // A server without webhooks does not load the package.
    this.client ??= import('openai').then(({ OpenAI: Client }) => new Client({ apiKey: 'only for webhooks' }));
    return await this.client;
  }
}
