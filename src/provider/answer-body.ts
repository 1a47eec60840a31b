const NEWLINE = 10;
const RETURN = 13;
/** A line that begins with it is a comment. */
const COLON = 58;
/** One event of a stream may hold a whole response, and in so many lines. */
const LONGEST_EVENT_BYTES = 64_000_000;
const MOST_LINES = 10_000;
/** Comments keep a connection open, and this much of them lasts for days. */
const MOST_IDLE_BYTES = 1_000_000;
const MOST_BLANKS = 64_000;

/** An answer's body as text; null if it is longer than `mostBytes`, and then the rest is not read. */
export async function readBounded(answer: Pick<Response, 'body'>, mostBytes: number): Promise<string | null> {
  if (answer.body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // An app's own fetch may return one of Node's streams, which can be iterated too. Leaving the loop stops the stream.
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array | string>) {
    const piece = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    bytes += piece.byteLength;
    if (bytes > mostBytes) return null;
    chunks.push(piece);
  }
  // Unlike Buffer, TextDecoder drops the byte order mark that some gateways put before their JSON.
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/**
 * The same event stream, which fails at an event that is too long, since the SDK would keep all of it in memory (I9), and at a
 * flood of comments, since they would keep a worker busy that has others to serve.
 */
export function withBoundEvents(answer: Response): Response {
  if (!answer.body) return answer;
  const event = new EventSize();
  const bounds = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      event.add(chunk);
      if (event.bytes > LONGEST_EVENT_BYTES || event.lines > MOST_LINES)
        controller.error(new Error('An event of the stream has no end.'));
      else if (event.idleBytes > MOST_IDLE_BYTES) controller.error(new Error('The stream has no events.'));
      else controller.enqueue(chunk);
    },
  });
  return new Response(answer.body.pipeThrough(bounds), { status: 200, headers: [...answer.headers] });
}

/** How much of an event has come: an empty line ends one. Lines end with \n, \r or both. */
class EventSize {
  bytes = 0;
  lines = 0;
  /** The empty lines and comments since the last line of an event. */
  idleBytes = 0;
  private isIdle = false;
  private isLineEmpty = true;
  private wasReturn = false;

  add(chunk: Uint8Array): void {
    for (const byte of chunk) {
      this.bytes += 1;
      const isSecondHalf = byte === NEWLINE && this.wasReturn;
      this.wasReturn = byte === RETURN;
      if (isSecondHalf) continue;
      const endsLine = byte === NEWLINE || byte === RETURN;
      if (this.isLineEmpty) this.isIdle = endsLine || byte === COLON;
      this.idleBytes = this.isIdle ? this.idleBytes + 1 : 0;
      if (!endsLine) this.isLineEmpty = false;
      else if (this.isLineEmpty) this.bytes = this.lines = 0;
      else {
        this.lines += 1;
        this.isLineEmpty = true;
      }
    }
  }
}

export interface Sniffed {
  isEventStream: boolean;
  /** The answer, which can still be read from its beginning. */
  answer: Response;
}

/** Tells by an answer's first bytes whether it is an event stream. Gateways send another content type for one, or none. */
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
    answer: new Response(rejoined(read, chunks), { status: 200, headers: [...answer.headers] }),
  };
}

/** A body of the chunks that were read already and then the rest. */
function rejoined(read: Uint8Array[], rest: AsyncIterator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const next = read.shift();
      if (next) return controller.enqueue(next);
      const { done, value } = await rest.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await rest.return?.();
    },
  });
}
