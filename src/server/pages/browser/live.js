// Keeps a visible page up to date. It fetches the page again and replaces the parts that have changed, so that the page
// neither jumps nor loses the focus.
const root = document.querySelector('[data-live]');

/** The parts that change. Forms are left alone, because somebody may be typing in them. */
const parts = ['live', 'story', 'ledger', 'content'];

async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
  // The session has ended, so the reload leads to the sign-in page.
  if (answer.redirected) return location.assign(answer.url);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const id of parts) exchange(id, fresh);
  const form = document.getElementById('cancel');
  if (form && !fresh.getElementById('cancel')) form.remove();
  const isOver = !fresh.querySelector('[data-live]');
  if (isOver) document.getElementById('live')?.removeAttribute('data-live');
}

/**
 * @param {string} id
 * @param {Document} fresh
 */
function exchange(id, fresh) {
  const before = document.getElementById(id);
  const after = fresh.getElementById(id);
  if (!before || !after || before.innerHTML === after.innerHTML) return;
  // Checkboxes that are ticked and details that are open stay so.
  if (before.contains(document.activeElement) || before.querySelector('input:checked, details[open]')) return;
  before.innerHTML = after.innerHTML;
}

async function keepFresh() {
  const everyMs = Number(document.querySelector('[data-live]')?.getAttribute('data-live'));
  if (!everyMs) return;
  // A hidden page needs no update, and a server that does not answer is asked again later.
  if (!document.hidden) await refresh().catch(() => {});
  setTimeout(keepFresh, everyMs);
}

if (root) setTimeout(keepFresh, Number(root.getAttribute('data-live')));
