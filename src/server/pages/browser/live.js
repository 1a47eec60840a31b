// Keeps a page that somebody looks at up to date: asks for it again and puts in what has changed, without a jump of the
// page or a loss of the focus.
const root = document.querySelector('[data-live]');

/** Parts that change; the forms beside them are left alone, somebody may be typing. */
const parts = ['live', 'story', 'ledger', 'content'];

async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
  // Signed out meanwhile: show where to sign in.
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
  // What a person has chosen or opened stays so.
  if (before.contains(document.activeElement) || before.querySelector('input:checked, details[open]')) return;
  before.innerHTML = after.innerHTML;
}

async function keepFresh() {
  const everyMs = Number(document.querySelector('[data-live]')?.getAttribute('data-live'));
  if (!everyMs) return;
  // Nobody looks at a hidden page, and a server that is away comes back.
  if (!document.hidden) await refresh().catch(() => {});
  setTimeout(keepFresh, everyMs);
}

if (root) setTimeout(keepFresh, Number(root.getAttribute('data-live')));
