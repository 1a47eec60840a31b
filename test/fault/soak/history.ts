import type { OutcomeStatus } from '../../../src/shared/contract/words.ts';

/** What somebody was told of a job, and when they asked and heard it, by one clock. */
export interface Told {
  job: string;
  by: 'a read' | 'a cancel' | 'a wait' | 'a stream' | 'a create';
  askedAt: number;
  heardAt: number;
  /** `open`: it has no outcome. */
  said: 'open' | OutcomeStatus;
  /** True for a cancel that was told that it won. */
  won?: boolean;
  /** True if a result came with it. */
  hasResult?: boolean;
  /** True if pieces of a text came before it, on the same stream. */
  hasText?: boolean;
}

/** A cancel that was sent and not answered: it may have happened at any time since, or never. */
export interface Unanswered {
  job: string;
  askedAt: number;
}

/** What the writers and readers of a run were told. */
export class History {
  readonly told: Told[] = [];
  readonly unanswered: Unanswered[] = [];

  /** Asks, and writes down what is answered. The job may be known only by its answer. */
  async ask<Answer>(
    job: string | (() => string),
    by: Told['by'],
    question: () => Promise<Answer>,
    read: (answer: Answer) => Pick<Told, 'said' | 'won' | 'hasResult' | 'hasText'>,
  ): Promise<Answer> {
    const askedAt = performance.now();
    try {
      const answer = await question();
      this.told.push({
        job: typeof job === 'string' ? job : job(),
        by,
        askedAt,
        heardAt: performance.now(),
        ...read(answer),
      });
      return answer;
    } catch (error) {
      if (by === 'a cancel' && typeof job === 'string') this.unanswered.push({ job, askedAt });
      throw error;
    }
  }
}
