import type { Random } from '../random.ts';
import { kinds, type Scene, scenes } from '../scenes/scenes.ts';
import type { Play } from './kill.ts';

/** A scene that is played with a death in it. */
export interface Death {
  scene: Scene;
  at: string;
  time: number;
}

/** What every process does at its start, and now and then, whatever the scene. */
const isOfItsOwn = (step: string) => !/ (clock|hset \w+|eval \w+|set \w+|pexpire lease|extendLocks)$/.test(step);

/**
 * The deaths of one round, from plays in which nobody died: of each scene the steps that none before has had, and of each kind of
 * job all its steps. The first round has each step's first time, and each later one a time at random. `isShort` has each step
 * once, by a kind at random, and only its end: the beginning of one is hardly ever anything but the end of another.
 */
export function deathsOf(healthy: Play[], round: number, random: Random, isShort: boolean): Death[] {
  const seen = new Set<string>();
  const order = isShort ? [...random.shuffled(kinds), ...scenes.filter(scene => !kinds.includes(scene))] : scenes;
  return order.flatMap(scene => {
    const steps = healthy.find(({ scene: name }) => name === scene.name)?.steps ?? [];
    const chosen = [...new Set(steps)].filter(step => {
      const isNew = !seen.has(`${scene.victim} ${step}`);
      seen.add(`${scene.victim} ${step}`);
      if (isShort) return isNew && step.startsWith('after');
      return isNew || (kinds.includes(scene) && isOfItsOwn(step));
    });
    return chosen.map(at => {
      const times = steps.filter(step => step === at).length;
      return { scene, at, time: round === 0 ? 1 : 1 + random.below(times) };
    });
  });
}
