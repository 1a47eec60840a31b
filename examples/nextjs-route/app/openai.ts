import { createFetch, createProducer } from 'headstone';
import { OpenAI } from 'openai';

/** One for all requests of this process. It connects at the first of them, so the build needs no Redis. */
export const openai = new OpenAI({ fetch: createFetch(createProducer()) });
