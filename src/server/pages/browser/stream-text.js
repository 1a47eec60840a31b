// Shows a job's text while it is produced. A cancel removes it, because the text so far is refused as well.
const place = document.querySelector('[data-stream]');

if (place instanceof HTMLElement) {
  const source = new EventSource(place.dataset.stream ?? '');
  const on = (/** @type {string} */ type, /** @type {(event: { delta?: string }) => void} */ act) =>
    source.addEventListener(type, message => act(JSON.parse(/** @type {MessageEvent} */ (message).data)));

  on('response.created', () => place.replaceChildren());
  on('response.output_text.delta', ({ delta }) => place.append(delta ?? ''));
  for (const type of ['response.completed', 'response.incomplete']) on(type, () => source.close());
  on('response.failed', () => {
    source.close();
    place.replaceChildren();
    place.closest('section')?.setAttribute('hidden', '');
  });
}
