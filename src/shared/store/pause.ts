import type { Store } from './store.ts';

/** Pauses or resumes the launches of all lanes, also of those that are added meanwhile. */
export async function pauseLaunch(store: Store, isPaused: boolean): Promise<void> {
  let known = 0;
  // A lane that is added takes over the pause of the first one. It may have read that before this was written there.
  while (known < (await store.learnPlan()).count) {
    const { lanes } = store;
    known = lanes.length;
    await Promise.all(
      lanes.map(lane => {
        const { launch } = lane.queues;
        return lane.ask(() => (isPaused ? launch.pause() : launch.resume()));
      }),
    );
  }
}
