export { createFetch, type FetchOptions } from './server/create-fetch.ts';
export { HeadstoneError } from './shared/contract/errors.ts';
