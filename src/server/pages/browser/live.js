// Keeps a visible page up to date. It fetches the page again and changes what has changed, so that the page neither jumps nor
// loses the focus, the selection, what is half typed or how far a table was scrolled.
import { Idiomorph } from './idiomorph.js';

const main = document.getElementById('main');

async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
  // The session has ended, so the reload leads to the sign-in page.
  if (answer.redirected) return location.assign(answer.url);
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('main');
  if (!main) return;
  // A proxy in front of Headstone may have answered in its place.
  if (!answer.ok || !fresh)
    return warn(fresh?.querySelector('h1 + p')?.textContent ?? `The server answered ${answer.status}.`);
  freshAt = new Date();
  Idiomorph.morph(main, fresh.innerHTML, {
    morphStyle: 'innerHTML',
    ignoreActiveValue: true,
    callbacks: { beforeNodeMorphed: mayChange, beforeAttributeUpdated: mayUpdate },
  });
  const everyMs = fresh.getAttribute('data-live');
  if (everyMs === null) main.removeAttribute('data-live');
  document.dispatchEvent(new Event('headstone:refreshed'));
}

let freshAt = new Date();

/**
 * Says above the page that it is out of date. The next refresh that succeeds takes it away.
 * @param {string} why
 */
function warn(why) {
  const place = document.getElementById('stale');
  const said = `This page shows the state of ${freshAt.toISOString().slice(11, 19)} UTC. ${why}`;
  if (place && place.textContent !== said) place.textContent = said;
}

/**
 * What a person has set, and what scripts have drawn, stays.
 * @param {Node} before
 * @param {Node} after
 */
function mayChange(before, after) {
  if (!(before instanceof Element) || !(after instanceof Element)) return true;
  if (before.matches('canvas, [data-kept]')) return false;
  const isSameField = before.id === after.id && before.getAttribute('name') === after.getAttribute('name');
  return !(before.matches('input, select, textarea') && isSameField);
}

/**
 * @param {string} attribute
 * @param {Element} element
 */
function mayUpdate(attribute, element) {
  if (attribute === 'open' && element.matches('details, dialog')) return false;
  return !(attribute === 'hidden' && element.matches('[data-copy]'));
}

async function keepFresh() {
  const everyMs = Number(main?.getAttribute('data-live'));
  if (!everyMs) return;
  // A hidden page needs no update, and a server that does not answer is asked again later.
  if (!document.hidden) await refresh().catch(() => warn('The server does not answer.'));
  setTimeout(keepFresh, everyMs);
}

const firstMs = Number(main?.getAttribute('data-live'));
if (firstMs) setTimeout(keepFresh, firstMs);
