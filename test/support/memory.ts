/** How much memory this process takes beyond what it had, at most, while it is done, in megabytes. */
export async function mostMemory(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().rss;
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 20);
  await work().finally(() => clearInterval(timer));
  return (most - before) / 1e6;
}
