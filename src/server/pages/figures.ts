import { html } from 'ghtml';

/** A figure with its name above and a note below. */
export function card(name: string, figure: string, more: string, { kind = '', href = '' } = {}): string {
  const title = href === '' ? html`${name}` : html`<a href="${href}">${name}</a>`;
  return html`<div class="card figure ${kind}"><h2>!${title}</h2><p>${figure}</p><small>${more}</small></div>`;
}

/** A chart with a label. A table shows the same figures, so a screen reader misses nothing. */
export function chart(id: string, label: string): string {
  return html`<div class="chart"><canvas id="${id}" role="img" aria-label="${label}"></canvas></div>`;
}

/** The figures that charts.js draws. They are in a block that the browser does not run, and no field can end the block. */
export function figuresBlock(figures: object): string {
  return html`<script type="application/json" id="figures">!${JSON.stringify(figures).replaceAll('<', '\\u003c')}</script>`;
}
