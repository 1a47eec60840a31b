// Requests whose end two programs see in different places: what one takes for a body is another's next request.
import { expect, test } from 'vitest';
import { startFrontDoor } from '../support/front-door.ts';
import { rawBytes } from '../support/raw-http.ts';

const key = 'key-of-alice-0123456789';
const apiKeys = [{ name: 'alice', key, tenant: 'harbour', admin: false }];

const body = '{"model":"m","input":"smuggled","background":true}';
const hidden = (host: string) =>
  [
    'POST /v1/responses HTTP/1.1',
    `Host: ${host}`,
    `Authorization: Bearer ${key}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');

/** Heads of a request behind which `hidden` would be the body for one program, and a request for another. */
const heads: [name: string, lines: (length: number) => string[]][] = [
  ['a length and chunks', n => [`Content-Length: ${n}`, 'Transfer-Encoding: chunked']],
  ['chunks and a length', n => ['Transfer-Encoding: chunked', `Content-Length: ${n}`]],
  ['two lengths', n => [`Content-Length: ${n}`, 'Content-Length: 0']],
  ['a list of lengths', n => [`Content-Length: ${n}, 0`]],
  ['a length with a sign', n => [`Content-Length: +${n}`]],
  ['a length in hexadecimal', n => [`Content-Length: 0x${n.toString(16)}`]],
  ['a length below zero', () => ['Content-Length: -1']],
  ['another word for chunks', n => ['Transfer-Encoding: xchunked', `Content-Length: ${n}`]],
  ['chunks that are not last', n => ['Transfer-Encoding: chunked, identity', `Content-Length: ${n}`]],
  ['chunks twice', n => ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity', `Content-Length: ${n}`]],
  ['a blank before the colon', n => ['Transfer-Encoding : chunked', `Content-Length: ${n}`]],
  ['a tab before the name', n => ['X: y', '\tTransfer-Encoding: chunked', `Content-Length: ${n}`]],
  ['a line that goes on', n => ['X: y', ' Transfer-Encoding: chunked', `Content-Length: ${n}`]],
  ['a lone line feed', n => [`X: y\nTransfer-Encoding: chunked`, `Content-Length: ${n}`]],
  ['a lone return', n => [`X: y\rTransfer-Encoding: chunked`, `Content-Length: ${n}`]],
  ['a null', n => [`X: y\0`, `Content-Length: ${n}`]],
];

test.for(heads)('%s: the request is refused or is one request, and nothing behind it is a job', async ([, lines]) => {
  const { server, producer } = await startFrontDoor({ workers: 0, apiKeys });
  const { host } = new URL(server.url);
  const smuggled = hidden(host);
  // The end of an empty body in chunks, behind which the hidden request would begin.
  const behind = `0\r\n\r\n${smuggled}`;
  const head = ['POST /v1/nowhere HTTP/1.1', `Host: ${host}`, ...lines(behind.length)].join('\r\n');
  const heard = await rawBytes(server.url, `${head}\r\n\r\n${behind}`);
  expect(heard.match(/HTTP\/1\.1 \d{3}/g)).toHaveLength(1);
  expect(heard).toMatch(/^HTTP\/1\.1 4\d\d /);
  expect(await producer.list()).toEqual([]);
});

test('two requests on one connection are two, each with its own caller', async () => {
  const { server, producer } = await startFrontDoor({ workers: 0, apiKeys });
  const { host } = new URL(server.url);
  const stranger = `POST /v1/responses HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: ${body.length}\r\nContent-Type: application/json\r\n\r\n${body}`;
  const heard = await rawBytes(server.url, `${hidden(host)}${stranger}`, false);
  expect(heard.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 401']);
  expect(await producer.list()).toHaveLength(1);
});
