import type { UpstreamResponse } from '../shared/contract/response.ts';
import type { Lane } from '../shared/store/lane.ts';
import type { Context } from './context.ts';

/** A launch of this deployment. */
export interface NamedLaunch {
  id: string;
  epoch: number;
}

/** The launch in Headstone's metadata pair, `deployment/job/epoch`. Another deployment's pair means nothing here. */
export function launchNamedBy(response: UpstreamResponse, deployment: string): NamedLaunch | undefined {
  const mark = (response.metadata as { headstone?: unknown } | null | undefined)?.headstone;
  const [, theirs, id, epoch] = (typeof mark === 'string' && /^([^/]+)\/([\w-]+)\/(\d+)$/.exec(mark)) || [];
  return theirs === deployment && id !== undefined ? { id, epoch: Number(epoch) } : undefined;
}

/**
 * The launch of another job that made a response, and its lane, if it is another lane than that of the activation. In its own lane, a script sees
 * both jobs in one step.
 */
export async function launchElsewhere(
  response: UpstreamResponse,
  ownId: string,
  { store, lanes, deployment }: Context,
): Promise<{ launch: NamedLaunch; lane: Lane } | null> {
  const launch = launchNamedBy(response, deployment);
  if (!launch || launch.id === ownId || lanes.lanes.length === 1) return null;
  const lane = await lanes.laneOf(launch.id);
  return lane === store ? null : { launch, lane };
}
