// How many jobs are selected, and the checkbox in the table's header that selects all of them.
const bar = document.querySelector('.bar');

/** @returns {HTMLInputElement[]} */
const boxes = () => [...document.querySelectorAll('input[name="ids"]')].filter(box => box instanceof HTMLInputElement);

function count() {
  const selected = boxes().filter(box => box.checked).length;
  const place = document.getElementById('selected');
  if (place) place.textContent = selected === 0 ? 'Nothing selected' : `${selected} selected`;
}

document.addEventListener('change', event => {
  const { target } = event;
  if (!(target instanceof HTMLInputElement)) return;
  if ('selectAll' in target.dataset) for (const box of boxes()) box.checked = target.checked;
  count();
});
document.addEventListener('headstone:refreshed', count);
// A browser that goes back has kept the ticks.
window.addEventListener('pageshow', count);
if (bar) count();
