/** A whole response stands in one line of a stream, so a line may be as long as one. */
const LONGEST_LINE_BYTES = 64_000_000;
const NEWLINE = 10;

/** The same stream of events, broken off where a line has no end: the SDK would keep all of it (I9). */
export function withBoundLines(answer: Response): Response {
  if (!answer.body) return answer;
  let bytes = 0;
  const bounds = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      const end = chunk.lastIndexOf(NEWLINE);
      bytes = end < 0 ? bytes + chunk.byteLength : chunk.byteLength - end - 1;
      if (bytes > LONGEST_LINE_BYTES) controller.error(new Error('A line of the stream has no end.'));
      else controller.enqueue(chunk);
    },
  });
  return new Response(answer.body.pipeThrough(bounds), { status: 200, headers: [...answer.headers] });
}
