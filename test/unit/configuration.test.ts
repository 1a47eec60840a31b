import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadConfiguration } from '../../src/shared/runtime/configuration.ts';
import { settings } from '../../src/shared/runtime/settings.ts';

test('every problem stands in one message, by its variable', () => {
  const load = () =>
    loadConfiguration({
      REDIS_URL: 'localhost',
      HEADSTONE_PORT: 'ninety',
      HEADSTONE_MAX_IN_FLIGHT: '0',
      HEADSTONE_PRICES: '{"models":{"m":{"input":"free"}}}',
      HEADSTONE_CONCURRENCY: 'launch=0',
      LOG_LEVEL: 'loud',
    });
  expect(load).toThrow(/REDIS_URL must start with redis/);
  expect(load).toThrow(/HEADSTONE_PORT must be a whole number/);
  expect(load).toThrow(/HEADSTONE_MAX_IN_FLIGHT must be at least 1/);
  expect(load).toThrow(/HEADSTONE_PRICES\.models\.m\.input/);
  expect(load).toThrow(/HEADSTONE_CONCURRENCY must be at least 1/);
  expect(load).toThrow(/LOG_LEVEL must be debug/);
});

test('settings that contradict each other are refused', () => {
  expect(() => loadConfiguration({ HEADSTONE_POLL_MIN_MS: '500', HEADSTONE_POLL_MAX_MS: '100' })).toThrow(
    'HEADSTONE_POLL_MAX_MS must not be less than HEADSTONE_POLL_MIN_MS',
  );
});

test('an unknown setting warns with the nearest name', () => {
  const { warnings } = loadConfiguration({ HEADSTONE_MAX_IN_FLIGTH: '5', HEADSTONE_WEATHER_OF_TOMORROW: '1' });
  expect(warnings).toEqual([
    'HEADSTONE_MAX_IN_FLIGTH is not a setting of this version and was ignored. Did you mean HEADSTONE_MAX_IN_FLIGHT?',
    'HEADSTONE_WEATHER_OF_TOMORROW is not a setting of this version and was ignored.',
  ]);
});

test('what Kubernetes injects for a Service called headstone is ignored', () => {
  const { configuration, warnings } = loadConfiguration({
    HEADSTONE_PORT: 'tcp://10.0.0.1:80',
    HEADSTONE_PORT_80_TCP: 'tcp://10.0.0.1:80',
    HEADSTONE_SERVICE_HOST: '10.0.0.1',
  });
  expect(configuration.port).toBe(3000);
  expect(warnings).toEqual([]);
});

test('the README’s table names every setting with its default', () => {
  const readme = readFileSync(new URL('../../docs/settings.md', import.meta.url), 'utf8');
  for (const { name, meaning, fallback } of Object.values(settings)) {
    const row = readme.split('\n').find(line => line.startsWith(`| \`${name}\` `));
    expect(row, name).toContain(meaning);
    if (fallback !== undefined && fallback !== '') expect(row, name).toContain(`\`${fallback}\``);
  }
});
