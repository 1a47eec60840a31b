#!/usr/bin/env node
// The first thing that runs, so it must be readable by any Node that may meet it.
const OLDEST_NODE = [22, 12];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < (OLDEST_NODE[0] ?? 0) || (major === OLDEST_NODE[0] && minor < (OLDEST_NODE[1] ?? 0))) {
  process.stderr.write(
    `Headstone needs Node ${OLDEST_NODE.join('.')} or newer, and this is ${process.versions.node}: install a newer one, or in a checkout use "npm run headstone -- …", which brings its own.\n`,
  );
  process.exitCode = 2;
} else {
  const { runProgram } = await import('./program.ts');
  await runProgram(process.argv);
}
