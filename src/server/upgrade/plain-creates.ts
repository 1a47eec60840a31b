import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Producer } from '../../producer/producer.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { Job } from '../../shared/contract/job.ts';
import { whenGone } from '../api/client-gone.ts';
import type { StreamReaders } from '../api/stream-readers.ts';
import type { Passthrough } from '../passthrough/passthrough.ts';
import { answerPlainly } from './plain-answer.ts';
import { streamPlainly } from './plain-stream.ts';
import { endsWithCaller, UPGRADE_HEADER, Upgrade } from './upgrade.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The body of a create without `background` that becomes a job, as its caller sent it. */
    plainBody?: Record<string, unknown>;
  }
}

export interface PlainCreateParts {
  producer: Producer;
  passthrough: Passthrough;
  readers: StreamReaders;
  /** True if creates become jobs unless their callers say otherwise. */
  upgrade: boolean;
}

/** The id that the job of a create will have, unless the create was enqueued before under another. */
export interface Named {
  id: string;
  /** What tells the create from others; undefined if it has a name. */
  sent: string | undefined;
}

/** How a create becomes a job. */
export interface PlainCreate<Name extends Named> {
  name(): Promise<Name>;
  /** Returns the job's id. The job is attended by this process from the beginning, if that is given. */
  enqueue(named: Name, attendedBy: string | undefined): Promise<string>;
}

/** Creates without `background`: those that become jobs, and those that go on to the provider as they are. */
export class PlainCreates {
  private readonly producer: Producer;
  private readonly passthrough: Passthrough;
  private readonly readers: StreamReaders;
  private readonly upgrade: Upgrade;
  private isClosing = false;

  constructor({ producer, passthrough, readers, upgrade }: PlainCreateParts) {
    this.producer = producer;
    this.passthrough = passthrough;
    this.readers = readers;
    this.upgrade = new Upgrade(upgrade);
  }

  /** The server is about to close its connections. Whoever sends a request again elsewhere gets the job that it had here. */
  async close(): Promise<void> {
    this.isClosing = true;
    await this.producer.attendance.handOver();
  }

  /** Marks the request if it becomes a job. Otherwise it is passed on, and the answer is returned. */
  async receive(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const body = request.body as Record<string, unknown>;
    const { background } = body;
    const isPlain = background === undefined || background === null || background === false;
    if (!isPlain || !this.upgrade.isWanted(request.headers)) return await this.passOn(request, reply);
    const obstacle = this.upgrade.obstacleTo(body, request.caller.tenant);
    if (obstacle !== undefined) return await this.passOn(request, reply, obstacle);
    request.plainBody = body;
    request.body = { ...body, background: true };
    return undefined;
  }

  /** Enqueues the job and answers as the provider would have. A caller who goes away leaves the job to be cancelled. */
  async answer<Name extends Named>(
    request: FastifyRequest,
    reply: FastifyReply,
    { name, enqueue }: PlainCreate<Name>,
  ): Promise<FastifyReply> {
    const { attendance } = this.producer;
    const isEndedWithCaller = endsWithCaller(request.headers);
    const leaveReaders = this.readers.enter(request.caller.tenant);
    let leaveJob = (_mayGoOn: boolean) => {};
    let isAnswered = false;
    const gone = whenGone(reply, () => {
      leaveReaders();
      // A server that stops has not lost its callers, who send their requests again.
      leaveJob((isAnswered && reply.raw.writableFinished) || this.isClosing);
    });
    const named = await name();
    // Who has gone already pays for nothing.
    if (gone.aborted && isEndedWithCaller) return reply.hijack();
    if (isEndedWithCaller) leaveJob = attendance.enter(named.id, named.sent);
    const id = await enqueue(named, isEndedWithCaller ? attendance.token : undefined);
    // Who left while the job was made could not leave it yet, and leaves it now.
    if (isEndedWithCaller && (id !== named.id || gone.aborted)) {
      leaveJob(true);
      leaveJob = attendance.enter(id, named.sent);
    }
    if (isEndedWithCaller && !gone.aborted) await attendance.join(id);
    if (!isEndedWithCaller) await attendance.letGoOn(id);
    if (gone.aborted) leaveJob(this.isClosing);
    reply.header(UPGRADE_HEADER, '1').header('x-headstone-job', id);
    const answer = (request.plainBody as { stream?: unknown }).stream === true ? streamPlainly : answerPlainly;
    try {
      const answered = await answer(
        reply,
        this.producer,
        { id, gone },
        {
          refused: job => this.withoutBackground(job, request, reply),
          learn: job => void this.upgrade.obstacleOf(job),
        },
      );
      isAnswered = true;
      return answered;
    } catch (error) {
      if (!gone.aborted) throw error;
      // Nobody is there to be answered.
      return reply.hijack();
    }
  }

  /** Passes on a create whose job was refused only because it ran in the background. */
  private async withoutBackground(
    job: Job,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply | undefined> {
    const obstacle = this.upgrade.obstacleOf(job);
    if (obstacle === undefined) return undefined;
    request.body = request.plainBody;
    reply.removeHeader('x-headstone-job').removeHeader('x-should-retry');
    return await this.passOn(request, reply, obstacle);
  }

  private async passOn(request: FastifyRequest, reply: FastifyReply, obstacle?: string): Promise<FastifyReply> {
    if (obstacle !== undefined) reply.header(UPGRADE_HEADER, `0; ${obstacle}`);
    if (this.passthrough.isOpen) return await this.passthrough.sendCreate(request, reply);
    throw new HeadstoneError(
      'unsupported_parameter',
      obstacle === undefined
        ? 'background must be true. Headstone runs background responses. With HEADSTONE_UPGRADE=1 it runs every create as one, and with HEADSTONE_PASSTHROUGH=1 it passes others on.'
        : `This create cannot run in the background, because ${obstacle}, and other creates are passed on only with HEADSTONE_PASSTHROUGH=1.`,
      { param: 'background' },
    );
  }
}
