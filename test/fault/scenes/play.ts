import { aftermathOf } from './aftermath.ts';
import type { Scene } from './scenes.ts';
import type { Stage } from './stage.ts';

/** How a scene ended. */
export interface Ending {
  scene: string;
  hasStruck: boolean;
  /** What a promise forbids and what a user would complain of, in sentences. */
  violations: string[];
  /** From the fault until somebody went on with its jobs; null if nothing was left to do. */
  resumedMs: number | null;
}

/** Plays a scene, waits until all of it has ended, looks at what is left, and closes the stage. */
export async function playOn(stage: Stage, scene: Scene): Promise<Ending> {
  try {
    const { ids, complaints } = await scene.play(stage).then(
      ids => ({ ids, complaints: [] }),
      async (error: Error) => ({
        ids: (await stage.producer.list()).map(({ id }) => id),
        complaints: [`${error.name}: ${error.message}`],
      }),
    );
    const { violations, resumedMs } = await aftermathOf(stage, ids, scene.creates);
    return {
      scene: scene.name,
      hasStruck: stage.hasStruck(),
      violations: [...complaints, ...violations],
      resumedMs,
    };
  } finally {
    await stage.close();
  }
}

/** Does so many at a time, and keeps their order. */
export async function inTurns<Item, Done>(
  atOnce: number,
  items: Item[],
  run: (item: Item) => Promise<Done>,
): Promise<Done[]> {
  const left = [...items.entries()];
  const done: Done[] = [];
  const work = async () => {
    for (let next = left.shift(); next; next = left.shift()) done[next[0]] = await run(next[1]);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return done;
}
