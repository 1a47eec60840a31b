import { html } from 'ghtml';
import { shownId } from '../../../producer/response-body.ts';
import type { Job } from '../../../shared/contract/job.ts';
import { outcomeSentence } from '../../../shared/runtime/outcome-sentence.ts';
import type { Caller } from '../../access/key-ring.ts';
import { layout } from '../layout.ts';
import { facts, tagList } from '../parts.ts';

/** Asks before a request is sent again, because that costs money. `key` makes the same form sent twice one job. */
export function againPage(caller: Caller, job: Job, key: string, now: number): string {
  return layout({
    title: `Run job ${shownId(job)} again`,
    caller,
    section: '/jobs',
    body: html`<h1>Run <code>${shownId(job)}</code> again?</h1>
<p class="lead">A new job will get the same request, tags and options. This job: ${outcomeSentence(job, now)}</p>
!${facts([
      ['Prompt', html`${job.preview ?? '–'}`],
      ['Model', html`${job.model}`],
      ['Tenant', html`${job.tenant}`],
      ['Tags', job.tags.length > 0 ? tagList(job.tags) : '–'],
    ])}
<form class="row" method="post" action="/jobs/${job.id}/again">
<input type="hidden" name="key" value="${key}">
<button autofocus>Run it again</button>
<a class="button" href="/jobs/${job.id}">Back</a>
</form>`,
  });
}
