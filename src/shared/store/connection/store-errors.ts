import { HeadstoneError } from '../../contract/errors.ts';
import { clusterOf, type RedisClient } from './client.ts';

const LONGEST_ERROR = 80;

/** The first word of Redis' answer while it refuses to serve. A cluster's client quotes the last of several answers. */
const refusal =
  /^(?:Too many Cluster redirections\. Last error: (?:ReplyError: )?)?-?(OOM|READONLY|UNBLOCKED|MISCONF|LOADING|NOREPLICAS|BUSY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|ASK|MOVED|NOAUTH|WRONGPASS|NOPERM)\b/;

/** What each of these words means, and what to do. */
const sentences: Record<string, string> = {
  OOM: 'is full. Give it memory, or remove keys that are not Headstone’s. Cancels still work',
  READONLY: 'is a read-only replica. Point REDIS_URL at the primary',
  UNBLOCKED: 'has just become a replica. Point REDIS_URL at the primary',
  MISCONF: 'does not write, because it could not save to its disk. Check its log and its disk',
  LOADING: 'is still loading its data. Wait until it is done',
  NOREPLICAS: 'does not write, because too few of its replicas answer (min-replicas-to-write). Check the replicas',
  BUSY: 'is busy with another program’s script. Wait, or run SCRIPT KILL',
  CLUSTERDOWN: 'belongs to a cluster that is down. Check its nodes',
  MASTERDOWN: 'is a replica that has lost its primary. Point REDIS_URL at a primary',
  TRYAGAIN: 'is moving slots between its nodes. Try again',
  ASK: 'is moving slots between its nodes. Try again',
  MOVED:
    'is a node of a Redis Cluster. Name several of its nodes in REDIS_URL, as in redis://host:6379,other:6379, or use redis+cluster://host:6379',
  NOAUTH: 'needs a password. Put it into REDIS_URL, as in redis://:PASSWORD@host:6379',
  WRONGPASS: 'does not accept this user and password. Check them in REDIS_URL',
  NOPERM: 'does not allow this user a command or key that Headstone needs. Check its ACL',
};

const UNTRUSTED = 'has a certificate from an authority that this machine does not trust';

/** What a failed TLS handshake means, by Node's code. */
const tlsSentences: Record<string, string> = {
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: 'has a self-signed certificate',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate for another host name',
  CERT_HAS_EXPIRED: 'has a certificate that has expired',
  ERR_SSL_WRONG_VERSION_NUMBER: 'does not use TLS, so use redis:// instead of rediss://',
};

/** The address of the connection, without a password: the node that Sentinels named, or what was configured. */
export function addressOf(client: Pick<RedisClient, 'options'>): string {
  const cluster = clusterOf(client);
  if (cluster) {
    const nodes = cluster.nodes('master').map(node => addressOf(node));
    return nodes.length > 0 ? nodes.sort().join(', ') : 'the nodes of its cluster';
  }
  const { path, host, port, sentinels, name } = client.options;
  const { stream } = client as { stream?: { remoteAddress?: string; remotePort?: number } };
  if (path) return path;
  if (sentinels && stream?.remoteAddress) return `${stream.remoteAddress}:${stream.remotePort}`;
  if (sentinels) return `${name} (by the Sentinels ${sentinels.map(one => `${one.host}:${one.port}`).join(', ')})`;
  return `${host ?? '127.0.0.1'}:${port ?? 6379}`;
}

/** Redis' own word for why it does not write now; null for any other error. */
export function refusalOf(error: unknown): string | null {
  const original = causeOf(error);
  return original instanceof Error ? (refusal.exec(original.message)?.[1] ?? null) : null;
}

/** What an error was made from: ours from one of the connection, and one of a cluster's client from one of its nodes. */
function causeOf(error: unknown): unknown {
  const cause = error instanceof HeadstoneError ? error.cause : error;
  const { lastNodeError } = (cause ?? {}) as { lastNodeError?: unknown };
  return lastNodeError ?? cause;
}

/** The words of a server that another has replaced or will replace. It refuses a command before it does anything. */
const elsewhere = new Set(['READONLY', 'UNBLOCKED', 'LOADING', 'MASTERDOWN', 'CLUSTERDOWN', 'NOREPLICAS']);

export function isWrongServer(error: unknown): boolean {
  return elsewhere.has(refusalOf(error) ?? '');
}

/** What went wrong, in a word or two for the log. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  const cause = causeOf(error);
  if (cause instanceof Error && cause !== error) return errorCode(cause);
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined) return code;
  if (/^Socket timeout/.test(error.message)) return 'silent connection';
  if (/Connection is closed|Stream isn't writeable|Cluster is ended/.test(error.message)) return 'connection lost';
  if (/All sentinels are unreachable/.test(error.message)) return 'no Sentinel answers';
  if (/Failed to refresh slots cache|None of startup nodes|Cluster isn't ready/.test(error.message))
    return 'no node of the cluster answers';
  const word = refusalOf(error);
  if (word !== null) return word;
  if (error.name === 'MaxRetriesPerRequestError' || error.name === 'AbortError') return 'connection lost';
  // Messages of ioredis and Redis are safe to log. Any other error is named only by its kind.
  return /^(Protocol error|ERR )/.test(error.message)
    ? (error.message.split(', with args')[0]?.slice(0, LONGEST_ERROR) ?? error.name)
    : error.name;
}

export function unreachable(client: Pick<RedisClient, 'options'>, cause: unknown): HeadstoneError {
  const word = refusalOf(cause);
  if (word !== null) return refused(client, word, cause);
  const command = missingCommandOf(cause);
  if (command !== null) return lacking(client, command, cause);
  const code = errorCode(cause);
  const tls = tlsSentences[code];
  const address = addressOf(client);
  if (tls) {
    const isOfAuthority = /SELF_SIGNED|UNABLE_TO/.test(code);
    const advice = isOfAuthority ? ' To trust a private authority, use NODE_EXTRA_CA_CERTS or the option tls.ca.' : '';
    return new HeadstoneError('store_unreachable', `Redis at ${address} ${tls} (${code}).${advice}`, { cause });
  }
  return new HeadstoneError(
    'store_unreachable',
    `Redis at ${address} does not answer (${code}). Start it, or point REDIS_URL at one that runs.`,
    { cause },
  );
}

export function refused(client: Pick<RedisClient, 'options'>, word: string, cause: unknown): HeadstoneError {
  const why = sentences[word] ?? 'answers but refuses writes at the moment';
  // The code belongs to the cause, which is the first sentence.
  const withCode = why.replace(/\.|$/, ` (${word})$&`);
  return new HeadstoneError('store_refused', `Redis at ${addressOf(client)} ${withCode}.`, { cause });
}

/** An error that only a person can fix, such as a server that is too old. */
export function unsuitable(client: Pick<RedisClient, 'options'>, why: string, cause?: unknown): HeadstoneError {
  return new HeadstoneError('store_unsuitable', `Redis at ${addressOf(client)} ${why}.`, { cause });
}

function lacking(client: Pick<RedisClient, 'options'>, command: string, cause: unknown): HeadstoneError {
  return unsuitable(client, `does not know the command ${command}, which Headstone needs. Enable it there`, cause);
}

/** The command that the server does not know, such as `EVALSHA`; null for any other error. */
function missingCommandOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  return /^ERR unknown command ['`"]?([\w|]+)/i.exec(error.message)?.[1]?.toUpperCase() ?? null;
}

/** True if the connection failed, and false for an answer of the store. */
export function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    error.name === 'MaxRetriesPerRequestError' ||
    /Connection is closed|Stream isn't writeable|Failed to refresh slots|None of startup nodes|Cluster isn't ready|Cluster is ended|sentinels are unreachable|Command timed out|Command aborted|Socket closed|Socket timeout|ECONN|ETIMEDOUT|EPIPE|EHOSTUNREACH/.test(
      `${errorCode(error)} ${error.message}`,
    )
  );
}

/** Turns an error of the client or the server into one with a sentence. A HeadstoneError stays unchanged. */
export function told(client: Pick<RedisClient, 'options'>, error: unknown): Error {
  if (error instanceof HeadstoneError) return error;
  if (isConnectionError(error)) return unreachable(client, error);
  const word = refusalOf(error);
  if (word !== null) return refused(client, word, error);
  const command = missingCommandOf(error);
  if (command !== null) return lacking(client, command, error);
  return error instanceof Error ? error : new Error(String(error));
}
