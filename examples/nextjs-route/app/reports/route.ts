import { openai } from '../openai';

/** Asks for a report, and answers at once with its id. */
export async function POST(request: Request): Promise<Response> {
  const { about } = (await request.json()) as { about: string };
  const { id, status } = await openai.responses.create({
    model: 'gpt-5.5',
    input: `Write a report on ${about}`,
    background: true,
  });
  return Response.json({ id, status }, { status: 202 });
}
