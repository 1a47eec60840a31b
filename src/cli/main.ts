#!/usr/bin/env node
// This runs first, so every version of Node has to be able to read it.
const OLDEST_NODE = [22, 12];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < (OLDEST_NODE[0] ?? 0) || (major === OLDEST_NODE[0] && minor < (OLDEST_NODE[1] ?? 0))) {
  process.stderr.write(
    `Headstone needs Node ${OLDEST_NODE.join('.')} or newer, but this is ${process.versions.node}. Install a newer one, or use "npm run headstone -- …" in a checkout, which installs one.\n`,
  );
  process.exitCode = 2;
} else {
  // The second start and all later ones read compiled code, which halves their time.
  const { enableCompileCache } = await import('node:module');
  enableCompileCache();
  const { runProgram } = await import('./program.ts');
  await runProgram(process.argv);
}
