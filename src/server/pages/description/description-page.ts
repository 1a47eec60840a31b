import { html } from 'ghtml';
import type { Caller } from '../../access/key-ring.ts';
import { layout } from '../layout.ts';
import { copyButton, table } from '../parts.ts';
import { examples } from './examples.ts';

/** The part of an OpenAPI document that the page shows. */
export interface ApiDocument {
  paths?: Record<string, Record<string, Operation>>;
}

interface Operation {
  summary?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: { content?: Record<string, { schema?: Shape }> };
}

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Shape;
}

interface Shape {
  type?: string | string[];
  enum?: unknown[];
  description?: string;
  properties?: Record<string, Shape>;
  required?: string[];
  anyOf?: Shape[];
}

interface Listed {
  method: string;
  path: string;
  operation: Operation;
}

/** The description of the API: every operation with its parameters and an example that can be pasted. */
export function descriptionPage(caller: Caller, document: ApiDocument, origin: string): string {
  const listed = Object.entries(document.paths ?? {}).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  const groups = [...new Set(listed.map(({ operation }) => operation.tags?.[0] ?? 'other'))];
  const of = (group: string) => listed.filter(({ operation }) => (operation.tags?.[0] ?? 'other') === group);
  return layout({
    title: 'API',
    caller,
    section: '/docs',
    body: html`<h1>API</h1>
<p>Point any openai client at <code>${origin}/v1</code>, and cancels stick: <code>new OpenAI({ baseURL: '${origin}/v1' })</code>. Errors have OpenAI’s shape. <a href="/docs/json">The OpenAPI document</a></p>
<div class="api">
<nav aria-label="Operations">!${groups
      .map(
        group =>
          html`<strong>${group}</strong>!${of(group)
            .map(one => html`<a href="#${anchorOf(one)}">${one.method} ${one.path.replace('/v1', '')}</a>`)
            .join('')}`,
      )
      .join('')}</nav>
<div>!${groups
      .map(
        group =>
          html`<section><h2>${group}</h2>!${of(group)
            .map(one => article(one, origin))
            .join('')}</section>`,
      )
      .join('')}</div>
</div>`,
  });
}

function anchorOf({ method, path }: Listed): string {
  return `${method} ${path}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
}

function article(listed: Listed, origin: string): string {
  const { method, path, operation } = listed;
  const example = examples[`${method} ${path}`];
  const command = curl(listed, origin);
  return html`<article id="${anchorOf(listed)}">
<h3><span class="verb ${method.toLowerCase()}">${method}</span> <code>${path}</code></h3>
<p>${operation.summary ?? ''}.</p>
<pre tabindex="0">${command}</pre>!${copyButton(command, 'the command')}
!${example?.answer ? html`<details><summary>Answer</summary><pre tabindex="0">${JSON.stringify(example.answer, null, 2)}</pre></details>` : ''}
!${fieldsTable(`Parameters of ${method} ${path}`, operation)}
</article>`;
}

function curl({ method, path }: Listed, origin: string): string {
  const { query, body } = examples[`${method} ${path}`] ?? {};
  const url = `${origin}${path.replace('{id}', '$ID')}${query === undefined ? '' : `?${query}`}`;
  return [
    `curl ${method === 'GET' ? '' : `-X ${method} `}"${url}"`,
    '-H "Authorization: Bearer $HEADSTONE_API_KEY"',
    ...(body === undefined ? [] : ['-H "Content-Type: application/json"', `-d '${JSON.stringify(body)}'`]),
  ].join(' \\\n  ');
}

/** The parameters of an operation, and the fields of its body. */
function fieldsTable(caption: string, { parameters = [], requestBody }: Operation): string {
  const body = Object.values(requestBody?.content ?? {})[0]?.schema;
  const fields = objectIn(body);
  const rows = [
    ...parameters.map(({ name, in: place, required, description, schema }) => [
      html`<code>${name}</code>`,
      html`${place}`,
      html`${kindOf(schema)}`,
      html`${[required ? 'required' : '', description ?? ''].filter(Boolean).join('. ')}`,
    ]),
    ...Object.entries(fields?.properties ?? {}).map(([name, shape]) => [
      html`<code>${name}</code>`,
      'body',
      html`${kindOf(shape)}`,
      html`${[fields?.required?.includes(name) ? 'required' : '', shape.description ?? ''].filter(Boolean).join('. ')}`,
    ]),
  ];
  if (rows.length === 0) return '';
  return table(
    caption,
    [{ name: 'Name' }, { name: 'In' }, { name: 'Kind', wraps: true }, { name: 'Meaning', wraps: true }],
    rows,
  );
}

function objectIn(shape: Shape | undefined): Shape | undefined {
  return shape?.properties ? shape : shape?.anyOf?.find(one => one.properties);
}

function kindOf(shape: Shape | undefined): string {
  if (!shape) return '';
  if (shape.enum) return shape.enum.map(String).join(' | ');
  if (shape.anyOf) return [...new Set(shape.anyOf.map(kindOf).filter(Boolean))].join(' or ');
  return [shape.type ?? ''].flat().join(' or ');
}
