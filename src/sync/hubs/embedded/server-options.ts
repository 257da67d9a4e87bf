import { bare } from '../../../runtime/define.ts';
import type { HoldfastError } from '../../../runtime/holdfast-error.ts';
import { badOption, requireInteger, givenOptions } from '../option-checks.ts';

export interface HubServerOptions {
  /** The directory that holds the hub's data; made when it is missing. No other hub, and no host, may use it. */
  readonly root: string;
  /** Whoever has it may do everything: a secret of printable ASCII characters without spaces. This, or `tokenFile`. */
  readonly token?: string | undefined;
  /**
   * The path of a file of tokens, which is read again when it changes. It holds one token, as `token`, or a line for each:
   * role (`read`, `write`, `admin`, `metrics`), name, token; `docs/HUB-PROTOCOL.md` has the rest.
   */
  readonly tokenFile?: string | undefined;
  /** Default 0: a free one, which the url then tells. */
  readonly port?: number | undefined;
  /** The address to listen at. Default `127.0.0.1`: this machine only. */
  readonly host?: string | undefined;
  /** A certificate and its key in PEM; without them the hub speaks plain HTTP, which is for this machine or behind a proxy. */
  readonly tls?: { readonly cert: string | Uint8Array; readonly key: string | Uint8Array } | undefined;
  /** Connections at once. Default 4,096, but no more than half of the descriptors that this process may have. */
  readonly maxConnections?: number | undefined;
  /** Logs that clients may make, two for an origin whose files are synced. Default 100,000. */
  readonly maxLogs?: number | undefined;
  /**
   * Bytes of blobs that one token may have put and that no entry names yet, each counting 64 KiB at least. Default 16 GiB: a
   * file that is larger cannot be synced. Beyond it blobs are refused with `hub-full` until entries name some, or they are
   * collected.
   */
  readonly maxUnnamedBytes?: number | undefined;
  /** Called once if it waits until the lease of a server that is out of sight has ended, up to a minute. */
  readonly onWaiting?: (() => void) | undefined;
  /**
   * Hears of failures that clients are told of only as `hub-unreachable`, such as a full disk; and of a token file that
   * cannot be read after it changed: the tokens from before stay.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** A hub that this process serves. */
export interface RunningHub {
  /** For `embeddedHub({ url })`. */
  readonly url: string;
  /** Resolves when it has ended: to null after {@link close}, else to the reason. */
  readonly ended: Promise<HoldfastError | null>;
  /** Ends it: what is under way is answered, then connections are closed and the root is free for another server. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const KNOWN = ['root', 'token', 'tokenFile', 'port', 'host', 'tls', 'maxConnections', 'maxLogs', 'maxUnnamedBytes', 'onWaiting', 'onError'];

/** @throws HoldfastError `bad-option`; never with the value, which may be a secret */
export function checkServerOptions(given: HubServerOptions): HubServerOptions {
  const options = givenOptions(given, KNOWN, 'startHub');
  const { root, token, tokenFile, port, host, tls, maxConnections, maxLogs, maxUnnamedBytes } = options;
  if (typeof root !== 'string' || root === '') throw badOption("Option 'root' must be the path of a directory.");
  if (tokenFile === undefined) requireToken(token);
  else if (typeof tokenFile !== 'string' || tokenFile === '' || token !== undefined) throw badOption("Option 'tokenFile' must be the path of a file, in the place of 'token'.");
  if (maxConnections !== undefined) requireInteger('maxConnections', maxConnections, 1, 1_000_000);
  if (maxLogs !== undefined) requireInteger('maxLogs', maxLogs, 1, 100_000_000);
  if (maxUnnamedBytes !== undefined) requireInteger('maxUnnamedBytes', maxUnnamedBytes, 2 ** 20, Number.MAX_SAFE_INTEGER);
  if (port !== undefined) requireInteger('port', port, 0, 65_535);
  if (host !== undefined && (typeof host !== 'string' || host === '')) throw badOption("Option 'host' must be an address or a name.");
  return tls === undefined ? options : bare({ ...options, tls: givenOptions(tls, ['cert', 'key'], "Option 'tls'") });
}

/** @throws HoldfastError `bad-option` when a token cannot be sent as it is in the header of a request */
export function requireToken(token: unknown): asserts token is string {
  if (typeof token !== 'string' || token === '') throw badOption("Option 'token' is missing: a hub lets nobody in without one.");
  if (!/^[\x21-\x7e]+$/.test(token)) throw badOption("Option 'token' may hold printable ASCII characters only, and no spaces.");
}
