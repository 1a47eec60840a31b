import { html } from 'ghtml';
import { shownId } from '../../../producer/response-body.ts';
import type { Job } from '../../../shared/contract/job.ts';
import type { Caller } from '../../access/key-ring.ts';
import { layout } from '../layout.ts';
import { badge, facts } from '../parts.ts';

/** Asks once before a job is cancelled, because nothing can undo that. */
export function cancelPage(caller: Caller, job: Job, reason: string | undefined): string {
  return layout({
    title: `Cancel job ${shownId(job)}`,
    caller,
    section: '/jobs',
    body: html`<h1>Cancel <code>${shownId(job)}</code>?</h1>
!${facts([
      ['Status', badge(job.status)],
      ['Model', html`${job.model}`],
      ['Tenant', html`${job.tenant}`],
      ['Reason', html`${reason ?? '–'}`],
    ])}
<p>Its result will never be shown, whatever the provider does. ${whatItSaves(job)} This cannot be undone.</p>
<form class="row" method="post" action="/jobs/${job.id}/cancel">
<input type="hidden" name="reason" value="${reason ?? ''}">
<button class="danger" autofocus>Cancel this job</button>
<a class="button" href="/jobs/${job.id}">Keep it</a>
</form>`,
  });
}

function whatItSaves({ status }: Job): string {
  return status === 'queued'
    ? 'It is waiting to be launched. If it is still queued when you cancel it, it costs nothing more.'
    : 'It has been launched, so the provider may charge for it anyway.';
}
