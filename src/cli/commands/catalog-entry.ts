import type { Command } from 'commander';

export interface CatalogEntry {
  name: string;
  about: string;
  /** True if it asks a deployment, over Redis or with `--server` over HTTP. */
  isClient: boolean;
  load(): Promise<Command>;
}
