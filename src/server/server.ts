import { type AppOptions, buildApp } from './app.ts';

export interface ServerOptions extends AppOptions {
  /** 0 takes a free port. */
  port: number;
}

export interface RunningServer {
  /** Without /v1. */
  url: string;
  close(): Promise<void>;
}

/** Stateless: any number of them, side by side. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const app = await buildApp(options);
  const { port, apiKeys, insecureListen } = options;
  await app.listen({ port, host: apiKeys || insecureListen ? '0.0.0.0' : '127.0.0.1' });
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('The server got no TCP address.');
  return { url: `http://127.0.0.1:${address.port}`, close: () => app.close() };
}
