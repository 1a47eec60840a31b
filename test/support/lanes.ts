/** The number of lanes with which the whole suite runs: HEADSTONE_LANES=4 npm test. */
export const lanesOfSuite: Record<string, string> =
  process.env.HEADSTONE_LANES === undefined ? {} : { HEADSTONE_LANES: process.env.HEADSTONE_LANES };
