import { openai } from '../../openai';

interface Context {
  params: Promise<{ id: string }>;
}

/** What has become of it. */
export async function GET(_request: Request, { params }: Context): Promise<Response> {
  const { id, status, output_text } = await openai.responses.retrieve((await params).id);
  return Response.json({ id, status, text: output_text });
}

/** Nobody wants it any more: from here on it stays cancelled, whatever the provider does. */
export async function DELETE(_request: Request, { params }: Context): Promise<Response> {
  const { id, status } = await openai.responses.cancel((await params).id);
  return Response.json({ id, status });
}
