export interface Mutant {
  name: string;
  /** A text of the file, and what replaces it in the mutant. */
  edits: { file: string; from: string; to: string }[];
  test: string;
  /** A part of the test's name. */
  pattern: string;
  /** True if its test starts redis-servers of its own, and is left out where there is none. */
  needsRedisServer?: boolean;
}

/** One safety that is broken, and the test that has to notice. */
export const mutants: Mutant[] = [
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
        from: '    return this.readReply(name, await this.ask(() => this.send(name, given, body)));',
        to: `    if (name === 'decide') {
      const found = await this.record((given as { id: string }).id);
      if (found?.decided_at) return { reply: 'already', status: found.status } as ReplyOf<Name>;
    }
    return this.readReply(name, await this.ask(() => this.send(name, given, body)));`,
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
        from: "move(args.id, job, 'launching', {'epoch', int(epoch), 'intended_at', now_text, 'intent_token', args.token})",
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
        from: "if job.status ~= 'launching' or tonumber(job.epoch) ~= args.epoch then return reply('stale', {is_news = is_news}) end",
        to: '',
      },
    ],
    test: 'test/integration/i7-fence.test.ts',
    pattern: 'a worker that lost its claim',
  },
  {
    name: 'an entry that is ended by whoever has lost it',
    edits: [
      {
        file: 'src/shared/store/lua/entry-part.ts',
        from: "  if redis.call('GET', base .. entry .. ':lock') ~= lock then return false end\n",
        to: '',
      },
    ],
    test: 'test/integration/ended-entries.test.ts',
    pattern: 'a worker whose lock is gone ends nothing',
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
        to: "if not job.status then return reply('missing') end\nif args.has_result then redis.call('SET', key('result', args.id), body) end\n",
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
        from: "if queue.is_paused then return reply('paused') end",
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
        from: 'math.min(queue.share or args.max_in_flight, args.max_in_flight)',
        to: 'args.max_in_flight',
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
    test: 'test/integration/lanes-raised.test.ts',
    pattern: 'sent three times is one job',
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
