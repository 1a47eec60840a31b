export { loadApiKeys } from './server/access/load-api-keys.ts';
export type { AppOptions } from './server/app.ts';
export { type RunningServer, type ServerOptions, startServer } from './server/server.ts';
export { HeadstoneError } from './shared/contract/errors.ts';
export { loadConfiguration } from './shared/runtime/configuration.ts';
