import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ending, playOn } from '../scenes/play.ts';
import type { Scene } from '../scenes/scenes.ts';
import { openStage } from './stage.ts';
import type { Arming } from './steps.ts';

/** One play of a scene, in which a process may have died. */
export interface Play extends Ending, Pick<Arming, 'at' | 'time'> {
  /** Every step that the process came to, in order. */
  steps: string[];
}

/** Plays a scene in a deployment of its own. */
export async function play(scene: Scene, redisUrl: string, death: Omit<Arming, 'trace'> = {}): Promise<Play> {
  const folder = mkdtempSync(join(tmpdir(), 'headstone-crash-'));
  const trace = join(folder, 'steps');
  try {
    const ending = await playOn(await openStage(scene, redisUrl, { trace, ...death }), scene);
    return { ...ending, ...death, steps: existsSync(trace) ? readFileSync(trace, 'utf8').trim().split('\n') : [] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
