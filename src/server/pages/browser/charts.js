// Draws the charts of the overview and of the waste page. The tables below them show the same figures to readers without JavaScript.
import './chart.umd.js';

/** @type {any} */
const { Chart } = globalThis;
let written = '';
/** @type {any} */
let figures = {};
/** The path under which Headstone is served. */
const home = document.querySelector('.brand')?.getAttribute('href') ?? '/';
const dark = matchMedia('(prefers-color-scheme: dark)');

/** @type {{ destroy(): void }[]} */
let drawn = [];

/** Draws again only if there is something new, so that nothing flickers. */
function drawFresh() {
  const text = document.getElementById('figures')?.textContent ?? '';
  if (text === written) return;
  written = text;
  figures = JSON.parse(text || '{}');
  draw();
}

/** @param {string} day */
const shortDay = day =>
  new Date(`${day}T00:00Z`).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

function draw() {
  for (const chart of drawn) chart.destroy();
  const style = getComputedStyle(document.documentElement);
  const colour = (/** @type {string} */ name) => resolve(style.getPropertyValue(name));
  Chart.defaults.color = colour('--faint');
  Chart.defaults.borderColor = colour('--line');
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.animation = false;
  const wasted = { label: 'wasted', backgroundColor: colour('--wasted') };
  const used = { label: 'used', backgroundColor: colour('--used') };
  // The overview has the days only.
  const { dimension = { keys: [] }, late = { labels: [] } } = figures;
  const days = (figures.days ?? []).map(shortDay);
  drawn = [
    bars(
      'tokens-by-day',
      days,
      [
        { ...used, data: figures.used },
        { ...wasted, data: figures.wasted },
      ],
      { links: figures.dayLinks },
    ),
    bars(
      'cost-by-day',
      days,
      [
        { ...used, data: figures.usedUsd },
        { ...wasted, data: figures.wastedUsd },
      ],
      { money: true, links: figures.dayLinks },
    ),
    bars(
      'by-dimension',
      dimension.keys,
      [...(dimension.used ? [{ ...used, data: dimension.used }] : []), { ...wasted, data: dimension.wasted }],
      { across: true, links: dimension.links },
    ),
    bars('late', late.labels, [{ ...wasted, label: 'responses', data: late.responses }]),
  ].filter(chart => chart !== null);
}

/**
 * @param {string} id
 * @param {string[]} labels
 * @param {object[]} datasets
 * @param {{ across?: boolean, money?: boolean, links?: (string | null)[] }} [options]
 */
function bars(id, labels, datasets, { across = false, money = false, links = [] } = {}) {
  const canvas = document.getElementById(id);
  if (!(canvas instanceof HTMLCanvasElement)) return null;
  const figureAxis = {
    stacked: true,
    beginAtZero: true,
    ticks: { callback: (/** @type {number} */ value) => (money ? `$${value}` : value.toLocaleString('en-US')) },
  };
  const nameAxis = {
    stacked: true,
    grid: { display: false },
    ticks: { maxRotation: 0, autoSkip: !across, autoSkipPadding: 12 },
  };
  canvas.parentElement?.classList.toggle('clickable', links.some(Boolean));
  // Each bar of a list needs its label, so the chart is as high as they are.
  if (across && canvas.parentElement) canvas.parentElement.style.height = `${4.5 + 2 * labels.length}rem`;
  return new Chart(canvas, {
    type: 'bar',
    data: { labels, datasets: datasets.map(set => ({ ...set, maxBarThickness: 40 })) },
    options: {
      indexAxis: across ? 'y' : 'x',
      maintainAspectRatio: false,
      interaction: { mode: 'index', axis: across ? 'y' : 'x', intersect: false },
      onClick: (/** @type {unknown} */ _event, /** @type {{ index: number }[]} */ [bar]) => {
        const link = bar && links[bar.index];
        if (link) location.assign(`${home}${link.slice(1)}`);
      },
      plugins: { legend: { display: datasets.length > 1 } },
      scales: across ? { x: figureAxis, y: nameAxis } : { x: nameAxis, y: figureAxis },
    },
  });
}

/**
 * Resolves light-dark(), which a canvas does not understand, by asking the browser.
 * @param {string} value
 */
function resolve(value) {
  const probe = document.createElement('span');
  probe.style.color = value;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

drawFresh();
dark.addEventListener('change', draw);
document.addEventListener('headstone:refreshed', drawFresh);
