import { html } from 'ghtml';
import type { Caller } from '../access/key-ring.ts';
import { NOTICES } from './notices.ts';

export interface Page {
  title: string;
  /** Null if nobody has signed in yet. */
  caller: Caller | null;
  /** The entry of the menu to highlight. */
  section?: '/' | '/jobs' | '/waste' | '/cancellations' | '/docs';
  /** Markup, in which the template has escaped every field. */
  body: string;
  /** The names of scripts under /assets. */
  scripts?: string[];
  /** After how many milliseconds the page is brought up to date; null or left out, it stays as it is. */
  liveMs?: number | null | undefined;
}

const menu = [
  { path: '/', name: 'Overview' },
  { path: '/jobs', name: 'Jobs' },
  { path: '/waste', name: 'Waste' },
  { path: '/cancellations', name: 'Cancellations', isForAdmins: true },
  { path: '/board', name: 'Board', isForAdmins: true },
  { path: '/docs', name: 'API' },
];

/** Every page of somebody who has signed in has these. */
const always = ['live.js', 'shortcuts.js', 'copy.js'];

/** A whole page around its body. */
export function layout({ title, caller, section, body, scripts = [], liveMs = null }: Page): string {
  const loaded = caller ? [...always, ...scripts] : scripts;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} · Headstone</title>
<link rel="icon" type="image/svg+xml" href="/assets/icon.svg">
<link rel="stylesheet" href="/assets/style.css">
!${loaded.map(script => html`<script type="module" src="/assets/${script}"></script>`).join('\n')}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
<a class="brand" href="/" tabindex="-1"><img src="/assets/icon.svg" alt="" width="22" height="22">Headstone</a>
!${caller ? navigation(caller, section) : ''}
</header>
<main id="main" !${liveMs === null ? '' : html`data-live="${liveMs}"`}>
!${liveMs === null ? '' : '<div id="stale" role="status"></div>'}
!${caller ? NOTICES : ''}
!${body}
</main>
</body>
</html>
`;
}

function navigation(caller: Caller, section: Page['section']): string {
  const links = menu
    .filter(({ isForAdmins }) => caller.admin || !isForAdmins)
    .map(({ path, name }) => html`<a href="${path}" !${path === section ? 'aria-current="page"' : ''}>${name}</a>`);
  return html`<nav aria-label="Main">!${links.join('\n')}</nav>
!${caller.keyName === null ? '' : signedIn(caller.keyName, caller)}`;
}

function signedIn(keyName: string, { tenant, admin }: Caller): string {
  return html`<form class="who" method="post" action="/sign-out">
<span>${keyName} <small>${admin ? 'admin' : tenant}</small></span>
<button class="quiet">Sign out</button>
</form>`;
}
