import { closest, distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { HeadstoneError, inWords } from '../contract/errors.ts';
import { type Configuration, type SettingKey, settings } from './settings.ts';

export interface LoadedConfiguration {
  configuration: Configuration;
  /** One sentence for each unknown HEADSTONE_* variable. */
  warnings: string[];
}

/** A name with more typing errors than this is another name and not a misspelling. */
const MOST_TYPING_ERRORS = 4;

/** Reads every setting and checks those that have to fit together. Throws `configuration`, which names every problem. */
export function loadConfiguration(env: NodeJS.ProcessEnv): LoadedConfiguration {
  const problems: string[] = [];
  const configuration = {} as Record<SettingKey, unknown>;
  for (const [key, setting] of Object.entries(settings) as [SettingKey, (typeof settings)[SettingKey]][]) {
    const parsed = (setting.schema as z.ZodType).safeParse(readVariable(env, setting.name) ?? setting.fallback);
    if (parsed.success) configuration[key] = parsed.data;
    else
      for (const issue of parsed.error.issues)
        problems.push(`${[setting.name, ...issue.path].join('.')} ${inWords(issue.message)}`);
  }
  if (problems.length === 0) problems.push(...contradictions(configuration as Configuration));
  if (problems.length > 0)
    throw new HeadstoneError(
      'configuration',
      `These settings are wrong:\n${problems.map(problem => `  - ${problem}`).join('\n')}`,
    );
  return { configuration: configuration as Configuration, warnings: unknownVariables(env) };
}

function contradictions(configuration: Configuration): string[] {
  const problems: string[] = [];
  if (configuration.pollMaxMs < configuration.pollMinMs)
    problems.push('HEADSTONE_POLL_MAX_MS must not be less than HEADSTONE_POLL_MIN_MS');
  if (configuration.apiKeys !== undefined && configuration.apiKeysFile !== undefined)
    problems.push('HEADSTONE_API_KEYS and HEADSTONE_API_KEYS_FILE are both set: choose one of them');
  if (configuration.settleWindowMs < configuration.settleFirstMs)
    problems.push('HEADSTONE_SETTLE_WINDOW_MS must not be less than HEADSTONE_SETTLE_FIRST_MS');
  return problems;
}

function readVariable(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === undefined || value === '' || isInjectedByKubernetes(name, value) ? undefined : value;
}

/** Kubernetes sets these variables in every pod if a Service is called headstone. */
function isInjectedByKubernetes(name: string, value: string): boolean {
  if (name === 'HEADSTONE_PORT') return value.startsWith('tcp://') || value.startsWith('udp://');
  return name.startsWith('HEADSTONE_SERVICE_') || name.startsWith('HEADSTONE_PORT_');
}

function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = Object.values(settings).map(setting => setting.name as string);
  return Object.keys(env)
    .filter(name => name.startsWith('HEADSTONE_') && !known.includes(name))
    .filter(name => !isInjectedByKubernetes(name, env[name] ?? ''))
    .map(name => {
      const near = closest(name, known);
      const guess = distance(name, near) <= MOST_TYPING_ERRORS ? ` Did you mean ${near}?` : '';
      return `${name} is not a setting of this version and was ignored.${guess}`;
    });
}
