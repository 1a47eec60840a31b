import slotOf from 'cluster-key-slot';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRedisUrl } from '../../src/shared/runtime/redis-url.ts';
import { readConnection } from '../../src/shared/store/connection/connection-options.ts';
import { LanePlan } from '../../src/shared/store/lanes/plan.ts';
import { lanePrefix } from '../../src/shared/store/lanes/prefix.ts';
import { fairShares } from '../../src/worker/fair-shares.ts';

test('lane 0 has the deployment’s own keys, and every other one a hash tag that begins with its number', () => {
  expect(lanePrefix('{headstone}', 0)).toBe('{headstone}');
  const prefixes = Array.from({ length: 99 }, (_, lane) => lanePrefix('app:{headstone}:x', lane));
  expect(new Set(prefixes).size).toBe(99);
  for (const [lane, prefix] of prefixes.entries())
    if (lane > 0) expect(prefix).toMatch(new RegExp(`^app:\\{headstone:${String(lane).padStart(2, '0')}[a-z]*\\}:x$`));
});

test.each([
  [3, 3],
  [6, 3],
  [12, 3],
  [6, 6],
  [24, 3],
])('%i lanes lie evenly on %i nodes, whatever the prefix', (lanes, nodes) => {
  for (const prefix of ['{headstone}', '{acme}', '{test-1}', '{x}']) {
    const counts = Array.from({ length: nodes }, () => 0);
    // The ranges may begin anywhere: a lane that lies close to a border counts for either side.
    for (let lane = 0; lane < lanes; lane += 1) {
      const node = Math.floor((slotOf(lanePrefix(prefix, lane)) * nodes) / 16_384);
      counts[node] = (counts[node] ?? 0) + 1;
    }
    expect(Math.max(...counts) - Math.min(...counts), `${prefix} ${counts}`).toBeLessThanOrEqual(1);
  }
});

test('an id finds its lane: ours by what it carries, the app’s by its hash, and all where they were before a raise', () => {
  const plan = new LanePlan([1, 4, 8]);
  const bare = `resp_${'0af1'.repeat(8)}`;
  expect(plan.candidatesOf(bare)).toEqual([0]);
  for (let lane = 0; lane < 8; lane += 1) expect(plan.candidatesOf(plan.carry(bare, lane))).toEqual([lane]);
  expect(plan.isBehind(new LanePlan([16]).carry(bare, 9))).toBe(true);
  const places = Array.from({ length: 8000 }, (_, n) => plan.laneOf(`invoice-${n}`));
  for (let lane = 0; lane < 8; lane += 1) {
    const share = places.filter(place => place === lane).length;
    expect(share).toBeGreaterThan(850);
    expect(share).toBeLessThan(1150);
  }
  fc.assert(
    fc.property(fc.stringMatching(/^[\w-]{1,64}$/), id => {
      const before = plan.earlier().map(earlier => earlier.laneOf(id));
      expect(plan.candidatesOf(id)).toEqual(expect.arrayContaining(before.filter(() => !/^(resp|own)_/.test(id))));
    }),
  );
});

test('shares: together the cap, nobody less than an equal part of what it needs, and a small cap goes round', () => {
  const needs = fc.array(fc.nat(500), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), needs, fc.nat(100), (cap, needed, first) => {
      const shares = fairShares(cap, needed, first);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(cap);
      const equal = Math.floor(cap / needed.length);
      for (const [lane, share] of shares.entries())
        expect(share).toBeGreaterThanOrEqual(Math.min(equal, needed[lane] ?? 0));
    }),
  );
  expect(fairShares(100, [500, 0, 0, 0], 0)[0]).toBe(100);
  const turns = [0, 1, 2, 3].map(first => fairShares(1, [5, 5, 5, 5], first));
  expect(turns.map(shares => shares.indexOf(1))).toEqual([0, 1, 2, 3]);
});

test.each([
  ['redis://host:6379/2', { kind: 'server', url: 'redis://host:6379/2' }],
  ['unix:///run/redis.sock?db=1', { kind: 'server', options: { path: '/run/redis.sock', db: 1 } }],
  [
    'redis+sentinel://:s%40crt@a:26379,b/mymaster/3?sentinel_password=x',
    {
      kind: 'server',
      options: {
        sentinels: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 26_379 },
        ],
        name: 'mymaster',
        db: 3,
        password: 's@crt',
        sentinelPassword: 'x',
      },
    },
  ],
  [
    'rediss://user:pw@a:7000,[::1]:7001',
    {
      kind: 'cluster',
      nodes: [
        { host: 'a', port: 7000 },
        { host: '::1', port: 7001 },
      ],
      options: { username: 'user', password: 'pw', tls: {} },
    },
  ],
  ['redis+cluster://a', { kind: 'cluster', nodes: [{ host: 'a', port: 6379 }] }],
])('REDIS_URL %s', (url, address) => {
  expect(readConnection(url)).toMatchObject(address);
});

test.each([
  ['redis+sentinel://a:26379', /has to name the primary/],
  ['redis://a,b/1', /has only database 0/],
  ['redis://a:1x,b', /is not a valid URL/],
  ['mysql://a', /but has to start with redis:\/\//],
])('REDIS_URL %s is refused in a sentence, without its password', (url, sentence) => {
  expect(() => readConnection(url)).toThrow(sentence);
  expect(() => readConnection(url.replace('://', '://:verysecret@'))).not.toThrow(/verysecret/);
});

test('a URL is no URL if its escapes are none', () => {
  expect(parseRedisUrl('redis://:%zz@host')).toBeNull();
  expect(parseRedisUrl('host:6379')).toBeNull();
});
