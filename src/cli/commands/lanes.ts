import { Command, InvalidArgumentError } from 'commander';
import { withStore } from '../client/with-client.ts';
import { describeLanes, type LaneState } from '../reports/lanes.ts';
import { print, printJson, withExamples, withJson } from '../terminal/output.ts';
import { table } from '../terminal/table.ts';

export function lanesCommand(): Command {
  return withExamples(
    withJson(new Command('lanes'))
      .action(async ({ json = false }: { json?: boolean }) => {
        const lanes = await withStore(describeLanes);
        if (json) return lanes.forEach(printJson);
        print(
          table(
            ['LANE', 'NODE', 'SLOT', 'WORKERS', 'OPEN JOBS', 'MAX IN FLIGHT'],
            lanes.map(lane => row(lane, lanes)),
          ),
        );
        for (const { lane, away } of lanes) if (away !== undefined) print(`Lane ${lane} cannot be reached. ${away}`);
      })
      .addCommand(
        withExamples(
          new Command('raise')
            .description('raise the number of lanes while everything runs; jobs stay where they are')
            .argument('<number>', 'how many lanes there will be', parseNumber)
            .action(async (count: number) => {
              await withStore(store => store.raiseLanes(count));
              const now = count === 1 ? 'There is 1 lane now.' : `There are ${count} lanes now.`;
              print(
                `${now} Running processes notice within seconds. Where HEADSTONE_LANES is set, change it to ${count} before you restart the process.`,
              );
            }),
          'headstone lanes raise 8',
        ),
      ),
    'headstone lanes',
    'headstone lanes raise 8',
  );
}

function row(lane: LaneState, lanes: LaneState[]): (string | number)[] {
  if (lane.away !== undefined) return [lane.lane, lane.node, String(lane.slot), 'AWAY', '', ''];
  const workers = lane.workers === 0 ? 'NONE' : lane.workers;
  return [
    lane.lane,
    lane.node,
    String(lane.slot),
    workers,
    lane.open_jobs,
    lane.max_in_flight ?? (lanes.length === 1 ? 'all' : 'no share yet'),
  ];
}

function parseNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}
