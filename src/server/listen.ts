import type { FastifyInstance } from 'fastify';

/** Every interface of IPv4 and IPv6. On a machine without IPv6 it becomes every interface of IPv4. */
export const EVERYWHERE = '::';

/** Only this machine, by IPv4 or IPv6. */
export const THIS_MACHINE = 'localhost';

/** Listens, and returns the URL for programs on this machine. */
export async function listen(app: FastifyInstance, port: number, host: string): Promise<string> {
  try {
    await app.listen({ port, host });
  } catch (error) {
    if (host !== EVERYWHERE || (error as NodeJS.ErrnoException).code !== 'EAFNOSUPPORT') throw error;
    await app.listen({ port, host: '0.0.0.0' });
  }
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('The server got no TCP address.');
  const named = isEverywhere(address.address) ? '127.0.0.1' : address.address;
  return `http://${named.includes(':') ? `[${named}]` : named}:${address.port}`;
}

function isEverywhere(address: string): boolean {
  return address === '::' || address === '0.0.0.0' || address === '127.0.0.1' || address === '::1';
}
