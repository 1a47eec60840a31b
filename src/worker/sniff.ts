export interface Sniffed {
  isEventStream: boolean;
  /** The answer, to be read from its beginning. */
  answer: Response;
}

/** Whether an answer is a stream of events. Gateways leave its type out, so then its first bytes say so. */
export async function sniff(answer: Response): Promise<Sniffed> {
  const type = answer.headers.get('content-type')?.trim().toLowerCase() ?? '';
  if (type.startsWith('text/event-stream')) return { isEventStream: true, answer };
  if (/^application\/([\w.]+\+)?json\b/.test(type) || answer.body === null) return { isEventStream: false, answer };
  const reader = answer.body.getReader();
  const chunks: Uint8Array[] = [];
  let beginning = '';
  while (beginning.trimStart() === '') {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    beginning += new TextDecoder().decode(value);
  }
  return {
    isEventStream: /^(:|data:|event:|id:|retry:)/.test(beginning.trimStart()),
    answer: new Response(bodyOf(chunks, reader), { status: answer.status, headers: [...answer.headers] }),
  };
}

/** What was read already, and then the rest. */
function bodyOf(read: Uint8Array[], reader: ReadableStreamDefaultReader<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const next = read.shift();
      if (next) return controller.enqueue(next);
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: reason => reader.cancel(reason),
  });
}
