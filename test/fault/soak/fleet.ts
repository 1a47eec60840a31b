import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, type LogLine, startChild } from '../../../src/cli/processes/children.ts';
import { insist } from '../patience.ts';
import type { Random } from '../random.ts';
import { type Line, openLine } from './line.ts';

/** A process that the soak hits, and that stands up again. */
export interface Member {
  name: string;
  kind: 'worker' | 'server';
  /** Empty while it is down. */
  address: string;
  /** True from a blow until it is as before. */
  isDown: boolean;
  /** True for a while after it was stopped and woken: what it writes then, it began before. */
  isZombie: boolean;
}

export interface FleetOptions {
  redisUrl: string;
  env: Record<string, string>;
  /** The arguments of each process, by its name. */
  members: { name: string; kind: Member['kind']; command: string[] }[];
  onLine(line: LogLine): void;
  onAnswered(member: Member, name: string, answer: unknown): void;
}

export const blows = ['killed', 'asked to stop', 'stopped and woken', 'cut off', 'cut off in silence'] as const;
export type Blow = (typeof blows)[number];

/** How long a blow lasts: from a moment to longer than the lock that the soak gives. */
const SHORTEST_MS = 500;
const LONGEST_MS = 6000;
const ZOMBIE_MS = 3000;
/** How long a pod has to end by itself, as Kubernetes gives it by default. */
const GRACE_MS = 30_000;
const START_MS = 60_000;

/** The processes of a deployment, each with a line of its own to Redis. */
export class Fleet {
  readonly members: Member[] = [];
  private readonly options: FleetOptions;
  private readonly lines = new Map<Member, Line>();
  private readonly children = new Map<Member, Child>();
  private readonly recovering = new Set<Promise<void>>();
  /** Processes that were asked to stop and did not end well, or in time. */
  readonly complaints: string[] = [];

  constructor(options: FleetOptions) {
    this.options = options;
  }

  async start(): Promise<void> {
    const { members, redisUrl, onAnswered } = this.options;
    for (const { name, kind } of members) {
      const member = { name, kind, address: '', isDown: true, isZombie: false };
      this.members.push(member);
      this.lines.set(member, await openLine(redisUrl, (script, answer) => onAnswered(member, script, answer)));
    }
    await Promise.all(this.members.map(member => this.launch(member)));
  }

  /** The addresses of servers that nothing is wrong with; all of them if there is none. */
  get servers(): string[] {
    const servers = this.members.filter(({ kind, address }) => kind === 'server' && address !== '');
    const well = servers.filter(({ isDown }) => !isDown);
    return (well.length > 0 ? well : servers).map(({ address }) => address);
  }

  /** Hits one process that is up. Null if all are down. Resolves at once; the process recovers by itself. */
  strike(random: Random): Blow | null {
    const up = this.members.filter(({ isDown }) => !isDown);
    if (up.length === 0) return null;
    const blow = random.pick(blows);
    void this.hit(random.pick(up), blow, SHORTEST_MS + random.below(LONGEST_MS - SHORTEST_MS));
    return blow;
  }

  /** Resolves when the process is as before. */
  async hit(member: Member, blow: Blow, lastsMs = 0): Promise<void> {
    member.isDown = true;
    const recovery = this.suffer(member, blow, lastsMs).then(() => {
      member.isDown = false;
      this.recovering.delete(recovery);
    });
    this.recovering.add(recovery);
    await recovery;
  }

  private async suffer(member: Member, blow: Blow, lastsMs: number): Promise<void> {
    const [line, child] = [this.lines.get(member), this.children.get(member)];
    if (blow === 'killed') {
      member.address = '';
      child?.kill('SIGKILL');
      await child?.ended;
      await this.launch(member);
    } else if (blow === 'asked to stop') {
      member.address = '';
      const askedAt = performance.now();
      child?.kill('SIGTERM');
      const ending = await child?.ended;
      const tookMs = performance.now() - askedAt;
      if (ending !== 'exit code 0' || tookMs > GRACE_MS)
        this.complaints.push(`${member.name} was asked to stop: ${ending}, after ${Math.round(tookMs)} ms.`);
      await this.launch(member);
    } else if (blow === 'stopped and woken') {
      child?.kill('SIGSTOP');
      await sleep(lastsMs);
      member.isZombie = true;
      child?.kill('SIGCONT');
      setTimeout(() => {
        member.isZombie = false;
      }, ZOMBIE_MS).unref();
    } else {
      if (blow === 'cut off') line?.cut();
      else line?.freeze();
      await sleep(lastsMs);
      line?.heal();
    }
  }

  private async launch(member: Member): Promise<void> {
    const { members, env, onLine } = this.options;
    const command = members.find(({ name }) => name === member.name)?.command ?? [];
    const redisUrl = this.lines.get(member)?.redisUrl ?? '';
    const start = () => startChild(command, { env: { ...env, REDIS_URL: redisUrl }, onLine });
    // As by a supervisor: on a machine that is overloaded the first start may fail.
    const child = await insist(start, START_MS);
    this.children.set(member, child);
    member.address = child.address;
    member.isDown = false;
  }

  /** Resolves when every process is as before. */
  async recovered(): Promise<void> {
    await Promise.all(this.recovering);
  }

  /** Stops all of them as an operator would, and says how each ended. */
  async stop(): Promise<string[]> {
    const endings = await Promise.all(
      [...this.children.values()].map(async child => {
        await child.stop();
        return await child.ended;
      }),
    );
    for (const line of this.lines.values()) line.close();
    return endings;
  }
}
