import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Of this machine's processes, those with it in their environment; empty where there is no /proc to ask. */
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
