import { type AppOptions, buildApp } from './app.ts';
import { EVERYWHERE, listen, THIS_MACHINE } from './listen.ts';

export interface ServerOptions extends AppOptions {
  /** The port to listen on; 0 takes a free one. */
  port: number;
}

export interface RunningServer {
  /** The server's URL, without /v1. */
  url: string;
  close(): Promise<void>;
}

/** Starts a server. Servers keep no state, so any number may run side by side. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { port, apiKeys, insecureListen, configuration } = options;
  const app = await buildApp(options);
  const isOpen = apiKeys !== null || insecureListen;
  // Without sign-in only this machine may connect, whatever host the settings name.
  const host = isOpen ? (configuration.host ?? EVERYWHERE) : THIS_MACHINE;
  try {
    return { url: await listen(app, port, host), close: () => app.close() };
  } catch (error) {
    await app.close();
    throw error;
  }
}
