/** The body as text; null where it is longer than that, and then the rest is not read. */
export async function readBounded(answer: Response, mostBytes: number): Promise<string | null> {
  if (answer.body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Any stream: an app's own fetch may give one of Node's. Leaving the loop early stops it.
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array | string>) {
    const piece = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    bytes += piece.byteLength;
    if (bytes > mostBytes) return null;
    chunks.push(piece);
  }
  // Unlike a Buffer it leaves out the mark that some gateways put before their JSON.
  return new TextDecoder().decode(Buffer.concat(chunks));
}
