import { html } from 'ghtml';
import { layout } from '../layout.ts';

/** The form for signing in. `next` is a path of this server. */
export function signInPage(next: string, problem: string | null): string {
  return layout({
    title: 'Sign in',
    caller: null,
    body: html`<form class="card sign-in" method="post" action="/sign-in">
<h1>Sign in</h1>
!${problem === null ? '' : html`<p class="notice bad" role="alert">${problem}</p>`}
<input type="hidden" name="next" value="${next}">
<label for="key">API key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<button>Sign in</button>
<p><small>Use one of this server’s API keys. You stay signed in for 12 hours, or until the key is removed.</small></p>
</form>`,
  });
}
