import { readFile } from 'node:fs/promises';
import { HeadstoneError, inWords } from '../../shared/contract/errors.ts';
import { type ApiKey, apiKeysSchema } from '../../shared/runtime/setting-formats.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';

/** The API keys from the settings or from the file that they name; null if there are none. Throws `configuration`. */
export async function loadApiKeys({ apiKeys, apiKeysFile }: Configuration): Promise<ApiKey[] | null> {
  if (apiKeys !== undefined) return apiKeys;
  if (apiKeysFile === undefined) return null;
  const problem = (text: string) =>
    new HeadstoneError('configuration', `HEADSTONE_API_KEYS_FILE: ${apiKeysFile} ${text}.`);
  let text: string;
  try {
    text = await readFile(apiKeysFile, 'utf8');
  } catch (error) {
    throw problem(`could not be read (${(error as NodeJS.ErrnoException).code})`);
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw problem('is not JSON');
  }
  const parsed = apiKeysSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw problem(parsed.error.issues.map(issue => `${issue.path.join('.')} ${inWords(issue.message)}`).join('; '));
}
