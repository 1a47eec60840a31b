// The checkbox in the table's header ticks every checkbox below it.
document.addEventListener('change', event => {
  const { target } = event;
  if (!(target instanceof HTMLInputElement) || !('selectAll' in target.dataset)) return;
  for (const box of document.querySelectorAll('input[name="ids"]'))
    if (box instanceof HTMLInputElement) box.checked = target.checked;
});
