import type { Lane } from './lane.ts';

/** Pauses or resumes the launches of all lanes. */
export async function pauseLaunch(lanes: Lane[], isPaused: boolean): Promise<void> {
  await Promise.all(
    lanes.map(lane => {
      const { launch } = lane.queues;
      return lane.ask(() => (isPaused ? launch.pause() : launch.resume()));
    }),
  );
}
