import fs from 'node:fs';
import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { HubServerOptions, RunningHub } from '../../sync/hubs/embedded/server-options.ts';
import { type Command, parse, UsageError, type Values } from '../command.ts';

const DEFAULT_PORT = 4653;

const TOKEN_VARIABLE = 'HOLDFAST_HUB_TOKEN';

const options = {
  root: { value: 'DIR', help: 'the directory that holds its data; made when it is missing' },
  'token-file': { value: 'FILE', help: `the secrets that clients show, read again when it changes; default: one in ${TOKEN_VARIABLE}` },
  port: { value: 'N', help: `the port to listen on, 0 for a free one; default: ${DEFAULT_PORT}` },
  host: { value: 'ADDRESS', help: 'the address to listen on; default: 127.0.0.1, which is this machine only' },
  'max-unnamed-bytes': { value: 'N', help: 'bytes of blobs that one token may have put and no entry names yet; default: 17179869184' },
  cert: { value: 'FILE', help: 'a certificate in PEM, to speak HTTPS' },
  key: { value: 'FILE', help: "the certificate's key in PEM" },
} as const;

type HubValues = Values<typeof options>;

export const hub: Command = {
  name: 'hub',
  summary: 'serve a hub, which keeps the regions of a deployment in one order',
  usage: '--root DIR --token-file FILE [options]',
  options,
  run: serve,
};

/** Runs until it is told to end. Prints one line when it listens, and further ones only for what must not happen. */
async function serve(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(options, args);
  if (positionals.length > 0) throw new UsageError(`unexpected '${positionals[0]}'`);
  const settings = settingsOf(values);
  const { startHub } = await import('../../sync/hubs/embedded/start-hub.ts');
  const running = await startHub(settings);
  console.log(`holdfast hub: listening on ${running.url}, data in ${fs.realpathSync(settings.root)}`);
  stopOnSignals(running);
  const reason = await running.ended;
  if (reason === null) return 0;
  throw reason;
}

function settingsOf(values: HubValues): HubServerOptions {
  const { root, host, cert, key } = values;
  const port = portOf(values);
  if (root === undefined || root === '') throw new UsageError("'--root DIR' is missing");
  if ((cert === undefined) !== (key === undefined)) throw new UsageError("'--cert' and '--key' belong together");
  const tls = cert === undefined || key === undefined ? undefined : { cert: read(cert), key: read(key) };
  if (tls === undefined && host !== undefined && !isLoopback(host)) {
    warn(`without --cert and --key the token and all data travel in the clear; is there a proxy with TLS before ${host}?`);
  }
  return {
    root,
    ...tokensOf(values),
    port,
    ...maxUnnamedBytesOf(values),
    ...(host === undefined ? {} : { host }),
    ...(tls === undefined ? {} : { tls }),
    onWaiting: () => warn(`${root} was last served from where it cannot be seen from here; waiting up to a minute until that server is known to have ended`),
    onError: (error) => warn(errorMessage(error)),
  };
}

function tokensOf(values: HubValues): { token: string } | { tokenFile: string } {
  const file = values['token-file'];
  if (file === undefined) {
    const token = process.env[TOKEN_VARIABLE];
    if (token === undefined || token === '') throw new UsageError(`'--token-file FILE' is missing, and ${TOKEN_VARIABLE} is not set`);
    return { token };
  }
  if (fs.existsSync(file) && isOpenToOthers(file)) warn(`others than its owner may read ${file}; 'chmod 600' makes it private`);
  return { tokenFile: file };
}

function isOpenToOthers(file: string): boolean {
  return process.platform !== 'win32' && (fs.statSync(file).mode & 0o077) !== 0;
}

function portOf({ port }: HubValues): number {
  if (port === undefined) return DEFAULT_PORT;
  if (/^[0-9]{1,5}$/.test(port) && Number(port) <= 65_535) return Number(port);
  throw new UsageError(`'--port' takes a number from 0 to 65535, not '${port}'`);
}

function maxUnnamedBytesOf({ 'max-unnamed-bytes': given }: HubValues): { maxUnnamedBytes?: number } {
  if (given === undefined) return {};
  if (/^[0-9]{7,15}$/.test(given)) return { maxUnnamedBytes: Number(given) };
  throw new UsageError(`'--max-unnamed-bytes' takes a number from 1048576 on, not '${given}'`);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function read(file: string): Buffer {
  try {
    return fs.readFileSync(file);
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new HoldfastError('bad-option', `The file ${file} cannot be read (${code}).`, { cause: error });
  }
}

function warn(text: string): void {
  console.error(`holdfast hub: ${text}`);
}

/** The first signal ends it in good order; the next one, of somebody who cannot wait, at once. */
function stopOnSignals(running: RunningHub): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void running.close());
  }
}
