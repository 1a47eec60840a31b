import { request } from 'node:http';
import { connect } from 'node:net';

/** Sends the path unchanged, which fetch would normalize. */
export async function rawRequest(url: string, method: string, path: string, headers: Record<string, string> = {}) {
  const { hostname, port } = new URL(url);
  return await new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    const call = request({ hostname, port, method, path, headers }, answer => {
      let body = '';
      answer.on('data', chunk => {
        body += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
    });
    call.on('error', reject).end();
  });
}

/** Sends lines on a plain connection and returns everything that comes back. */
export async function rawLines(url: string, lines: string[]): Promise<string> {
  const { hostname, port } = new URL(url);
  return await new Promise((resolve, reject) => {
    let heard = '';
    const socket = connect(Number(port), hostname, () => socket.write(`${lines.join('\r\n')}\r\n\r\n`));
    socket.on('data', chunk => {
      heard += chunk;
      // A connection that is kept alive is closed once the answer is complete.
      if (/\r\n\r\n/.test(heard)) socket.end();
    });
    socket.on('close', () => resolve(heard));
    socket.on('error', reject);
  });
}

/**
 * Sends bytes as they are, and returns everything that comes back until the server closes. `isAll`: says that no more bytes come,
 * after which Node answers nothing that it has not begun to answer.
 */
export async function rawBytes(url: string, bytes: string, isAll = true): Promise<string> {
  const { hostname, port } = new URL(url);
  return await new Promise((resolve, reject) => {
    let heard = '';
    const socket = connect(Number(port), hostname, () =>
      isAll ? socket.end(bytes, 'latin1') : socket.write(bytes, 'latin1'),
    );
    socket.on('data', chunk => {
      heard += chunk;
    });
    socket.on('close', () => resolve(heard));
    socket.on('error', reject);
  });
}
