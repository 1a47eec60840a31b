import { type AppOptions, buildApp } from './app.ts';
import { EVERYWHERE, listen, THIS_MACHINE } from './listen.ts';

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
  const { port, apiKeys, insecureListen, configuration } = options;
  const app = await buildApp(options);
  const isOpen = apiKeys !== null || insecureListen;
  // Without sign-in a host of the settings would let others in: this machine alone, whatever they say.
  const host = isOpen ? (configuration.host ?? EVERYWHERE) : THIS_MACHINE;
  try {
    return { url: await listen(app, port, host), close: () => app.close() };
  } catch (error) {
    await app.close();
    throw error;
  }
}
