export { HeadstoneError } from './shared/contract/errors.ts';
export { createWorker, type ForeignOpenAI, type WorkerOptions } from './worker/create-worker.ts';
export type { Worker } from './worker/worker.ts';
