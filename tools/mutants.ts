// Breaks one safety of the product at a time and runs its test, which must fail: a test that passes without the thing that
// it tests proves nothing.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasRedisServer } from './redis-server.ts';
import { binaries, root, runFile } from './run-file.ts';

/** The slowest of these tests takes half a minute. */
const LIMIT_MS = 180_000;
const AT_ONCE = 2;

interface Mutant {
  name: string;
  /** A text of the file, and what replaces it in the mutant. */
  edits: { file: string; from: string; to: string }[];
  test: string;
  /** A part of the test's name. */
  pattern: string;
  /** True if its test starts redis-servers of its own, and is left out where there is none. */
  needsRedisServer?: boolean;
}

const mutants: Mutant[] = [
  {
    name: 'GET, then SET, instead of one deciding script',
    edits: [
      {
        file: 'src/shared/store/lua/decide.ts',
        from: "if not open[job.status] then return reply('already', {status = job.status}) end",
        to: '',
      },
      {
        file: 'src/shared/store/lane.ts',
        from: '    const answer = await this.ask(client => {\n      const commands',
        to: `    if (name === 'decide') {
      const found = await this.record((given as { id: string }).id);
      if (found?.decided_at) return { reply: 'already', status: found.status } as ReplyOf<Name>;
    }
    const answer = await this.ask(client => {
      const commands`,
      },
    ],
    test: 'test/integration/i2-one-outcome.test.ts',
    pattern: 'of a cancel and a result that meet',
  },
  {
    name: 'no write-ahead intent',
    edits: [
      { file: 'src/shared/store/lua/intend.ts', from: 'list_intent(args.id, epoch)', to: '' },
      {
        file: 'src/shared/store/lua/intend.ts',
        from: "move(args.id, job, 'launching', {epoch = epoch, intended_at = now, intent_token = args.token})",
        to: '',
      },
    ],
    test: 'test/integration/i4-write-ahead.test.ts',
    pattern: 'the intent that it names is in the store',
  },
  {
    name: 'the SDK’s retries on',
    edits: [
      {
        file: 'src/provider/calls.ts',
        from: 'maxRetries: 0,',
        to: 'maxRetries: 2,',
      },
    ],
    test: 'test/integration/i4-write-ahead.test.ts',
    pattern: 'a 500, by the app’s own client, is reported unknown',
  },
  {
    name: 'a create that is sent again',
    edits: [
      {
        file: 'src/provider/direct-calls.ts',
        from: '    const { leanRequest } = await lean;',
        to: `    const { leanRequest: once } = await lean;
    const leanRequest: typeof once = async request => {
      const first = await once(request);
      return first.status < 500 ? first : await once(request);
    };`,
      },
    ],
    test: 'test/integration/i4-write-ahead.test.ts',
    pattern: 'a 500 is reported unknown',
  },
  {
    name: 'no fence',
    edits: [
      {
        file: 'src/shared/store/lua/resolve.ts',
        from: "if job.status ~= 'launching' or tonumber(job.epoch) ~= args.epoch then return reply('stale') end",
        to: '',
      },
    ],
    test: 'test/integration/i7-fence.test.ts',
    pattern: 'a worker that lost its claim',
  },
  {
    name: 'ledger written twice',
    edits: [
      {
        file: 'src/shared/store/lua/ledger-part.ts',
        from: '  book(before, after)\nend',
        to: '  book(before, after)\n  book(before, after)\nend',
      },
    ],
    test: 'test/integration/scripts.test.ts',
    pattern: 'the sums are the sums of the rows',
  },
  {
    name: 'add without `ensure`',
    edits: [
      {
        file: 'src/shared/store/queues.ts',
        from: "    const state = await queue.getJobState(id);\n    if (state === 'active') return { settled: false };",
        to: "    const state: string = 'unknown';\n    if (state === 'active') return { settled: false };",
      },
    ],
    test: 'test/integration/i5-nothing-lost.test.ts',
    pattern: 'an add is ignored by BullMQ',
  },
  {
    name: 'result published before the decision',
    edits: [
      {
        file: 'src/shared/store/lua/decide.ts',
        from: "if not job.status then return reply('missing') end\n",
        to: "if not job.status then return reply('missing') end\nif args.has_result then redis.call('SET', key('result', args.id), ARGV[2]) end\n",
      },
    ],
    test: 'test/integration/i2-one-outcome.test.ts',
    pattern: 'of a cancel and a result that meet',
  },
  {
    name: 'a pause that only the queue knows of',
    edits: [
      {
        file: 'src/shared/store/lua/intend.ts',
        from: "if redis.call('HEXISTS', key('launch', 'meta'), 'paused') == 1 then return reply('paused') end",
        to: '',
      },
    ],
    test: 'test/integration/pause.test.ts',
    pattern: 'nothing new is spent',
  },
  {
    name: 'an adopted orphan shown as it is',
    edits: [
      {
        file: 'src/shared/store/lua/identify.ts',
        from: 'if launch and launch.id ~= args.id then',
        to: 'if false then',
      },
    ],
    test: 'test/integration/adopt.test.ts',
    pattern: 'adopting the orphan of a cancelled job',
  },
  {
    name: 'one response under two jobs',
    edits: [
      {
        file: 'src/shared/store/lua/tie-part.ts',
        from: 'if known and (row.kind or row.job_id ~= launch.id) then',
        to: 'if known and row.kind then',
      },
      {
        file: 'src/shared/store/lua/tie-part.ts',
        from: ' and (not known or not row.kind and row.job_id == launch.id)',
        to: '',
      },
    ],
    test: 'test/integration/adopt.test.ts',
    pattern: 'one response for two creates',
  },
  {
    name: 'a reserved name taken from a caller',
    edits: [
      {
        file: 'src/shared/contract/request.ts',
        from: 'const reserved = reservedNameIn(request);',
        to: 'const reserved = undefined;',
      },
    ],
    test: 'test/e2e/hostile-tenants.test.ts',
    pattern: 'no reserved name in a body',
  },
  {
    name: 'an item of a refused response looked up',
    edits: [{ file: 'src/producer/item-references.ts', from: 'if (!isUsable) throw unusable(id);', to: '' }],
    test: 'test/e2e/hostile-tenants.test.ts',
    pattern: 'an item that a reader heard of before the cancel',
  },
  {
    name: 'a lane that accepts what any number of lanes has placed',
    edits: [
      {
        file: 'src/shared/store/lua/accept.ts',
        from: "if not args.is_new and is_misplaced() then return reply('misplaced') end",
        to: '',
      },
    ],
    test: 'test/integration/lanes.test.ts',
    pattern: 'placed by another number of lanes',
  },
  {
    name: 'a cap that each lane has for itself',
    edits: [
      {
        file: 'src/shared/store/lua/intend.ts',
        from: 'local most = math.min(share, args.max_in_flight)',
        to: 'local most = args.max_in_flight',
      },
    ],
    test: 'test/integration/lanes.test.ts',
    pattern: 'the caps of all lanes together',
  },
  {
    name: 'a response of another deployment believed',
    edits: [{ file: 'src/worker/named-launch.ts', from: 'theirs === deployment && ', to: '' }],
    test: 'test/e2e/webhooks.test.ts',
    pattern: 'of another deployment',
  },
  {
    name: 'a caller who has come back cancelled all the same',
    edits: [{ file: 'src/shared/store/lua/decide.ts', from: 'if args.only_unattended then', to: 'if false then' }],
    test: 'test/integration/attendance.test.ts',
    pattern: 'nobody in any process waits for it',
  },
  {
    name: 'a create that is new at every send',
    edits: [
      {
        file: 'src/server/api/resends.ts',
        from: "if (reply === 'again' || one === plan) return id;",
        to: "if (reply === 'again' || one === plan) return new_id;",
      },
    ],
    test: 'test/fault/lost-replies.test.ts',
    pattern: 'the answer of Redis to any command is lost',
  },
  {
    name: 'a time-out that is believed before the answer that came first',
    edits: [
      {
        file: 'src/provider/with-timeout.ts',
        from: 'if (performance.now() - dueAt < LATE_MS) onTime();',
        to: 'if (true) onTime();',
      },
    ],
    test: 'test/fault/killed-worker.test.ts',
    pattern: 'a worker frozen for longer than a create may take',
  },
  {
    name: 'a silent lane taken for a present one',
    edits: [
      {
        file: 'src/shared/store/lane.ts',
        from: 'return !this.isConnected || !this.presence.isAnswering;',
        to: 'return !this.isConnected;',
      },
    ],
    test: 'test/fault/cluster.test.ts',
    pattern: 'while a node is away',
    needsRedisServer: true,
  },
  {
    name: 'a script that runs while its slot is moved',
    edits: [
      { file: 'src/shared/store/keys.ts', from: "never = () => this.key('never');", to: 'never = () => this.prefix;' },
    ],
    test: 'test/fault/cluster.test.ts',
    pattern: 'a slot that is moved under load',
    needsRedisServer: true,
  },
];

/** Prints which mutants their tests caught. Throws if one no longer fits its file, or if its test fails without it. */
export async function runMutants(): Promise<{ caught: number; survived: string[] }> {
  const survived: string[] = [];
  const tried = mutants.filter(({ needsRedisServer }) => !needsRedisServer || hasRedisServer());
  for (const { name } of mutants.filter(mutant => !tried.includes(mutant)))
    process.stdout.write(`not tried  ${name}  (redis-server is not on the PATH)\n`);
  const left = [...tried];
  const work = async () => {
    for (let mutant = left.shift(); mutant; mutant = left.shift()) {
      const isCaught = await isCaughtByItsTest(mutant);
      if (!isCaught) survived.push(mutant.name);
      process.stdout.write(`${isCaught ? 'caught  ' : 'SURVIVED'}  ${mutant.name}  (${mutant.test})\n`);
    }
  };
  // A test waits more than it works.
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { caught: tried.length - survived.length, survived };
}

async function isCaughtByItsTest({ name, edits, test, pattern }: Mutant): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'headstone-mutant-'));
  try {
    for (const part of ['src', 'test', 'tools', 'package.json', 'tsconfig.json', 'vitest.config.ts'])
      cpSync(join(root, part), join(folder, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const run = () => runTest(folder, test, pattern);
    // The test must pass on the unchanged copy, because otherwise any failure would count as a catch.
    if ((await run()).failed > 0) throw new Error(`The test for "${name}" fails without the mutant.`);
    for (const { file, from, to } of edits) {
      const path = join(folder, file);
      const healthy = readFileSync(path, 'utf8');
      if (!healthy.includes(from))
        throw new Error(`The mutant "${name}" no longer fits ${file}: mend tools/mutants.ts.`);
      writeFileSync(path, healthy.replaceAll(from, to));
    }
    const { ran, failed } = await run();
    return ran > 0 && failed > 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function runTest(folder: string, test: string, pattern: string): Promise<{ ran: number; failed: number }> {
  const report = join(folder, 'report.json');
  const args = ['run', test, '-t', pattern, '--reporter=json', `--outputFile=${report}`];
  rmSync(report, { force: true });
  await runFile(binaries.vitest, args, { folder, quiet: true, limitMs: LIMIT_MS });
  // A test that never ends has failed, too.
  if (!existsSync(report)) return { ran: 1, failed: 1 };
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
  const failed = numFailedTests ?? 0;
  return { ran: (numPassedTests ?? 0) + failed, failed };
}

if (import.meta.main) process.exitCode = (await runMutants()).survived.length === 0 ? 0 : 1;
