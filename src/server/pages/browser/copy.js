// Copies what a button names. Where a browser may not copy, the button stays hidden.
function show() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll('[data-copy]')) button.removeAttribute('hidden');
}

document.addEventListener('click', async event => {
  const button = event.target instanceof Element ? event.target.closest('[data-copy]') : null;
  if (!(button instanceof HTMLElement)) return;
  // The browser knows best where it has found the server, whatever proxies are on the way.
  const origin = new URL(document.querySelector('.brand')?.getAttribute('href') ?? '/', location.href).href;
  const copied = (button.dataset.copy ?? '').replace('{origin}', origin.replace(/\/$/, ''));
  const done = await navigator.clipboard.writeText(copied).then(
    () => 'copied',
    () => 'refused',
  );
  button.classList.add(done);
  setTimeout(() => button.classList.remove(done), 1200);
});

document.addEventListener('headstone:refreshed', show);
show();
