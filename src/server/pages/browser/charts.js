// Draws the charts of the waste page. The tables below them show the same figures to readers without JavaScript.
import './chart.umd.js';

/** @type {any} */
const { Chart } = globalThis;
const figures = JSON.parse(document.getElementById('figures')?.textContent ?? '{}');
const dark = matchMedia('(prefers-color-scheme: dark)');

/** @type {{ destroy(): void }[]} */
let drawn = [];

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
  drawn = [
    bars('tokens-by-day', figures.days, [
      { ...used, data: figures.used },
      { ...wasted, data: figures.wasted },
    ]),
    bars(
      'cost-by-day',
      figures.days,
      [
        { ...used, data: figures.usedUsd },
        { ...wasted, data: figures.wastedUsd },
      ],
      { money: true },
    ),
    bars(
      'by-dimension',
      dimension.keys,
      [...(dimension.used ? [{ ...used, data: dimension.used }] : []), { ...wasted, data: dimension.wasted }],
      { across: true },
    ),
    bars('late', late.labels, [{ ...wasted, label: 'responses', data: late.responses }]),
  ].filter(chart => chart !== null);
}

/**
 * @param {string} id
 * @param {string[]} labels
 * @param {object[]} datasets
 * @param {{ across?: boolean, money?: boolean }} [options]
 */
function bars(id, labels, datasets, { across = false, money = false } = {}) {
  const canvas = document.getElementById(id);
  if (!(canvas instanceof HTMLCanvasElement)) return null;
  const figureAxis = {
    stacked: true,
    beginAtZero: true,
    ticks: { callback: (/** @type {number} */ value) => (money ? `$${value}` : value.toLocaleString('en-US')) },
  };
  const nameAxis = { stacked: true, grid: { display: false } };
  return new Chart(canvas, {
    type: 'bar',
    data: { labels, datasets: datasets.map(set => ({ ...set, maxBarThickness: 40 })) },
    options: {
      indexAxis: across ? 'y' : 'x',
      maintainAspectRatio: false,
      interaction: { mode: 'index' },
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

draw();
dark.addEventListener('change', draw);
