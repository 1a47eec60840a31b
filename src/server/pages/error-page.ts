import type { FastifyReply, FastifyRequest } from 'fastify';
import { html } from 'ghtml';
import type { Caller } from '../access/key-ring.ts';
import { layout } from './layout.ts';

const titles: Record<number, string> = {
  401: 'Sign in first',
  403: 'Not allowed',
  404: 'Not found',
  410: 'No longer kept',
  429: 'Too many at once',
  503: 'Not available now',
};

/** True if a person opened this or sent a form. What is under /v1 is for programs, whoever asks. */
export function isForPeople({ url, headers }: Pick<FastifyRequest, 'url' | 'headers'>): boolean {
  return (headers.accept ?? '').includes('text/html') && !/^\/(v1|openai|metrics|healthz|readyz)(\/|\?|$)/.test(url);
}

/** Answers a person with a page that says what happened and where to go. */
export function sendErrorPage(request: FastifyRequest, reply: FastifyReply, status: number, message: string) {
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .send(errorPage(request.caller, status, message));
}

export function errorPage(caller: Caller | null, status: number, message: string): string {
  const title = titles[status] ?? (status < 500 ? 'That did not work' : 'Headstone failed');
  return layout({
    title,
    caller,
    body: html`<h1>${title}</h1>
<p class="long">${message}</p>
!${status === 403 && caller ? html`<p>${whoMay(caller)}</p>` : ''}
<p><a href="/jobs">All jobs</a></p>`,
  });
}

function whoMay({ keyName, tenant }: Caller): string {
  return `You are signed in with the key ${keyName}, for the tenant ${tenant}. Sign out and sign in with an admin key, or ask somebody who has one.`;
}
