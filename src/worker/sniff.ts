export interface Sniffed {
  isEventStream: boolean;
  /** The answer, to be read from its beginning. */
  answer: Response;
}

const MOST_BLANKS = 64_000;

/** Whether an answer is a stream of events, by its first bytes: gateways give it another type, or none. */
export async function sniff(answer: Response): Promise<Sniffed> {
  if (!answer.body) return { isEventStream: false, answer };
  const chunks = (answer.body as unknown as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  const read: Uint8Array[] = [];
  const decoder = new TextDecoder();
  let beginning = '';
  while (beginning.trimStart() === '' && beginning.length < MOST_BLANKS) {
    const { done, value } = await chunks.next();
    if (done) break;
    read.push(value);
    beginning += decoder.decode(value, { stream: true });
  }
  return {
    isEventStream: /^(:|data:|event:|id:|retry:)/.test(beginning.trimStart()),
    answer: new Response(bodyOf(read, chunks), { status: 200, headers: [...answer.headers] }),
  };
}

/** What was read already, and then the rest. */
function bodyOf(read: Uint8Array[], chunks: AsyncIterator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const next = read.shift();
      if (next) return controller.enqueue(next);
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return?.();
    },
  });
}
