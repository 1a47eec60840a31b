// Keys for people who do not want to reach for the mouse. They are off while somebody types.
const keys = [
  ['/', 'Search jobs'],
  ['j', 'Next job'],
  ['k', 'Previous job'],
  ['x', 'Select the job'],
  ['c', 'Cancel the selected jobs, or this job'],
  ['?', 'Show keyboard shortcuts'],
];

/** @type {Record<string, () => void>} */
const acts = {
  '/': search,
  j: () => step(1),
  k: () => step(-1),
  x: select,
  c: cancel,
  '?': help,
};

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

/** @param {EventTarget | null} target */
function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('dialog[open]')) return true;
  return target.matches('textarea, select, input:not([type="checkbox"])') || target.isContentEditable;
}

function search() {
  const field = document.getElementById('search');
  if (field instanceof HTMLInputElement) {
    field.focus();
    field.select();
  } else location.assign(`${document.querySelector('.brand')?.getAttribute('href') ?? '/'}jobs#search`);
}

if (location.hash === '#search') search();

const links = () => [...document.querySelectorAll('.jobs tbody td.id a')];

/** @param {number} by */
function step(by) {
  const all = links();
  const at = all.findIndex(link => link.closest('tr')?.contains(document.activeElement));
  const next = all[at === -1 ? (by > 0 ? 0 : all.length - 1) : at + by];
  if (next instanceof HTMLElement) next.focus();
}

function select() {
  const box = document.activeElement?.closest('tr')?.querySelector('input[name="ids"]');
  if (!(box instanceof HTMLInputElement)) return;
  box.checked = !box.checked;
  box.dispatchEvent(new Event('change', { bubbles: true }));
}

function cancel() {
  const button = document.querySelector('#cancel-selected, #cancel button');
  if (button instanceof HTMLElement) button.click();
}

function help() {
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-label', 'Keyboard shortcuts');
  const list = document.createElement('dl');
  list.className = 'keys';
  for (const [key, meaning] of keys) {
    const line = document.createElement('div');
    const name = document.createElement('dt');
    const about = document.createElement('dd');
    name.append(Object.assign(document.createElement('kbd'), { textContent: key }));
    about.textContent = meaning ?? '';
    line.append(name, about);
    list.append(line);
  }
  const close = Object.assign(document.createElement('button'), { textContent: 'Close', type: 'button' });
  close.addEventListener('click', () => dialog.close());
  const heading = Object.assign(document.createElement('h2'), { textContent: 'Keyboard shortcuts' });
  dialog.append(heading, list, close);
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
