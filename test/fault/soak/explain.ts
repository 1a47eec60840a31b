import type { History, Told } from './history.ts';

/**
 * A job is one register: it is open until one moment, and has one outcome ever after (I1, I2). A history is explained if there
 * is such a moment for each job at which every answer is right, each answer being true at some time between question and
 * answer. Returns a sentence for each job that cannot be explained.
 */
export function unexplained({ told, unanswered }: Pick<History, 'told' | 'unanswered'>): string[] {
  const asked = Map.groupBy(unanswered, ({ job }) => job);
  return [...Map.groupBy(told, ({ job }) => job)].flatMap(([job, answers]) =>
    unexplainedOf(
      answers,
      (asked.get(job) ?? []).map(({ askedAt }) => askedAt),
    ).map(why => `${job}: ${why}`),
  );
}

function unexplainedOf(answers: Told[], unanswered: number[]): string[] {
  const decided = answers.filter(({ said }) => said !== 'open');
  const outcomes = [...new Set(decided.map(({ said }) => said))];
  const [outcome] = outcomes;
  if (outcomes.length > 1) return [`I2: it was said to be ${outcomes.join(' and ')}`];
  const winners = decided.filter(({ won }) => won);
  if (winners.length > 1) return ['I2: two cancels were told that they won'];
  if (outcome === 'cancelled' && decided.some(({ hasResult }) => hasResult))
    return ['I1: it was cancelled, and a result was shown'];

  // It was decided after the last question that was answered with `open`, and before the first answer with the outcome.
  const openAt = Math.max(...answers.filter(({ said }) => said === 'open').map(({ askedAt }) => askedAt));
  const decidedAt = Math.min(...decided.map(({ heardAt }) => heardAt));
  if (openAt > decidedAt) return [`I2: it was open again after it was ${outcome}`];
  if (outcome === 'cancelled' && answers.some(({ hasText, askedAt }) => hasText && askedAt > decidedAt))
    return ['I1: it was cancelled, and its text was sent to somebody who asked afterwards'];

  const cancels = [...answers.filter(({ by }) => by === 'a cancel').map(({ askedAt }) => askedAt), ...unanswered];
  if (outcome === 'cancelled' && Math.min(...cancels) > decidedAt)
    return ['I2: it was cancelled before anybody asked for it'];
  const [winner] = winners;
  // A cancel that won is the moment itself.
  if (winner && (winner.heardAt < openAt || winner.askedAt > decidedAt))
    return ['I2: a cancel won at a moment at which it was not open'];
  return [];
}
