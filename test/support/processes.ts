import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** The processes of this machine that have the mark in their environment. Empty on systems without /proc. */
export function processesWith(mark: string): string[] {
  if (!existsSync('/proc/self/environ')) return [];
  return readdirSync('/proc').filter(pid => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark);
    } catch {
      return false;
    }
  });
}
