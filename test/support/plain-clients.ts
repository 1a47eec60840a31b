// The clients that know nothing of background responses, each with the same few things that apps do with them.
import { createOpenAI } from '@ai-sdk/openai';
import { HumanMessage, type ToolMessage } from '@langchain/core/messages';
import { tool as langchainTool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { Agent, tool as agentTool, OpenAIProvider, Runner } from '@openai/agents';
import { generateText, isStepCount, Output, streamText, tool } from 'ai';
import { OpenAI } from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';

export interface PlainClient {
  text(prompt: string, signal?: AbortSignal): Promise<string>;
  stream(prompt: string, signal?: AbortSignal): Promise<string>;
  /** Two turns, with a call of a function between them. Returns the last text. */
  tools(prompt: string): Promise<string>;
  structured(prompt: string): Promise<unknown>;
  /** Two turns of one conversation. Returns the last text. */
  turns(first: string, second: string): Promise<string>;
}

export interface Address {
  baseURL: string;
  fetch?: typeof fetch | undefined;
  maxRetries?: number;
}

const model = 'gpt-5.5';
const place = z.object({ city: z.string() });
const forecast = ({ city }: z.output<typeof place>) => `sunny in ${city}`;
const description = 'The weather in a city';

function bare({ baseURL, fetch: own, maxRetries = 2 }: Address): OpenAI {
  return new OpenAI({ apiKey: 'any', baseURL, maxRetries, ...(own ? { fetch: own } : {}) });
}

export const plainClients: Record<string, (address: Address) => PlainClient> = {
  openai(address) {
    const client = bare(address);
    const tools = [
      {
        type: 'function' as const,
        name: 'weather',
        description,
        strict: true,
        parameters: z.toJSONSchema(place) as Record<string, unknown>,
      },
    ];
    return {
      async text(input, signal) {
        return (await client.responses.create({ model, input }, { signal })).output_text;
      },
      async stream(input, signal) {
        let text = '';
        for await (const event of await client.responses.create({ model, input, stream: true }, { signal }))
          if (event.type === 'response.output_text.delta') text += event.delta;
        return text;
      },
      async tools(input) {
        const first = await client.responses.create({ model, input, tools });
        const calls = first.output.filter(item => item.type === 'function_call');
        const outputs = calls.map(({ call_id, arguments: given }) => ({
          type: 'function_call_output' as const,
          call_id,
          output: forecast(place.parse(JSON.parse(given))),
        }));
        const next = { model, input: outputs, tools, previous_response_id: first.id };
        return (await client.responses.create(next)).output_text;
      },
      async structured(input) {
        const text = { format: zodTextFormat(place, 'place') };
        return (await client.responses.parse({ model, input, text })).output_parsed;
      },
      async turns(input, second) {
        const first = await client.responses.create({ model, input });
        return (await client.responses.create({ model, input: second, previous_response_id: first.id })).output_text;
      },
    };
  },

  'Vercel AI SDK'({ baseURL, fetch: own, maxRetries = 2 }) {
    const provider = createOpenAI({ apiKey: 'any', baseURL, ...(own ? { fetch: own } : {}) });
    const common = { model: provider(model), maxRetries };
    const tools = {
      weather: tool({ description, inputSchema: place, execute: async given => forecast(given) }),
    };
    return {
      async text(prompt, abortSignal) {
        return (await generateText({ ...common, prompt, ...(abortSignal ? { abortSignal } : {}) })).text;
      },
      async stream(prompt, abortSignal) {
        let text = '';
        const { fullStream } = streamText({
          ...common,
          prompt,
          onError: () => {},
          ...(abortSignal ? { abortSignal } : {}),
        });
        for await (const part of fullStream) {
          if (part.type === 'text-delta') text += part.text;
          if (part.type === 'error') throw part.error;
          if (part.type === 'abort') throw new Error('aborted');
        }
        return text;
      },
      async tools(prompt) {
        return (await generateText({ ...common, prompt, tools, stopWhen: isStepCount(3) })).text;
      },
      async structured(prompt) {
        return (await generateText({ ...common, prompt, output: Output.object({ schema: place }) })).output;
      },
      async turns(prompt, second) {
        const first = await generateText({ ...common, prompt });
        const messages = [
          { role: 'user' as const, content: prompt },
          ...first.response.messages,
          { role: 'user' as const, content: second },
        ];
        return (await generateText({ ...common, messages })).text;
      },
    };
  },

  'OpenAI Agents SDK'(address) {
    const runner = new Runner({
      modelProvider: new OpenAIProvider({ openAIClient: bare(address) as never, useResponses: true }),
      tracingDisabled: true,
    });
    const agent = new Agent({ name: 'Harbour', instructions: 'Answer briefly.', model });
    const weather = agentTool({
      name: 'weather',
      description,
      parameters: place,
      execute: async given => forecast(given),
    });
    return {
      async text(prompt, signal) {
        return String((await runner.run(agent, prompt, signal ? { signal } : {})).finalOutput);
      },
      async stream(prompt, signal) {
        const result = await runner.run(agent, prompt, { stream: true, ...(signal ? { signal } : {}) });
        let text = '';
        for await (const part of result.toTextStream()) text += part;
        await result.completed;
        return text;
      },
      async tools(prompt) {
        return String((await runner.run(agent.clone({ tools: [weather] }), prompt)).finalOutput);
      },
      async structured(prompt) {
        return (await runner.run(new Agent({ name: 'Place', model, outputType: place }), prompt)).finalOutput;
      },
      async turns(first, second) {
        const { lastResponseId } = await runner.run(agent, first);
        return String((await runner.run(agent, second, { previousResponseId: lastResponseId as string })).finalOutput);
      },
    };
  },

  LangChain({ baseURL, fetch: own, maxRetries = 2 }) {
    const chat = new ChatOpenAI({
      model,
      apiKey: 'any',
      useResponsesApi: true,
      maxRetries,
      configuration: { baseURL, ...(own ? { fetch: own } : {}) },
    });
    const weather = langchainTool(async (given: z.output<typeof place>) => forecast(given), {
      name: 'weather',
      description,
      schema: place,
    });
    return {
      async text(prompt, signal) {
        return (await chat.invoke(prompt, signal ? { signal } : {})).text;
      },
      async stream(prompt, signal) {
        let text = '';
        for await (const part of await chat.stream(prompt, signal ? { signal } : {})) text += part.text;
        return text;
      },
      async tools(prompt) {
        const bound = chat.bindTools([weather]);
        const asked = new HumanMessage(prompt);
        const first = await bound.invoke([asked]);
        const outputs = await Promise.all((first.tool_calls ?? []).map(call => weather.invoke(call as never)));
        return (await bound.invoke([asked, first, ...(outputs as unknown as ToolMessage[])])).text;
      },
      async structured(prompt) {
        return await chat.withStructuredOutput(place).invoke(prompt);
      },
      async turns(first, second) {
        const asked = new HumanMessage(first);
        return (await chat.invoke([asked, await chat.invoke([asked]), new HumanMessage(second)])).text;
      },
    };
  },
};
