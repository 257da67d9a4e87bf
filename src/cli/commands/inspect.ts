import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { clearInterval, setInterval } from '../../runtime/timers.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { errorCode } from '../../runtime/errors.ts';
import { randomBytes } from '../../runtime/random.ts';
import { ownerOf, type StorageHost } from '../../host/storage-host.ts';
import type { Hub } from '../../sync/hub.ts';
import { type Command, parse, requireArguments, UsageError, type Values } from '../command.ts';
import { hubIn, hubOptions } from '../hub-option.ts';
import { onInterruption } from '../interruption.ts';
import { encryptionOf, keyOptions } from '../keys-option.ts';
import { encryptedOrigins, rootOptions, unlockAll, withHost } from '../root.ts';

const options = {
  'read-only': { help: 'show everything, and refuse every change' },
  open: { help: 'open the page in a browser' },
  port: { value: 'N', help: 'the port to listen on, 0 for a free one; default: 0' },
  host: { value: 'ADDRESS', help: 'the address to listen on; default: 127.0.0.1, which is this machine only' },
  name: { value: 'NAME', isList: true, help: 'a name by which browsers may call it, beside addresses and localhost' },
  cert: { value: 'FILE', help: 'a certificate in PEM, to speak HTTPS' },
  key: { value: 'FILE', help: "the certificate's key in PEM" },
  ...hubOptions,
  ...keyOptions,
  ...rootOptions,
} as const;

type InspectValues = Values<typeof options>;

export const inspect: Command = {
  name: 'inspect',
  summary: 'serve a page that shows a root, live, and changes it',
  usage: '[--read-only] [--open] [--port N] [--host ADDRESS [--cert FILE --key FILE]]',
  options,
  notes: ['Prints the address of the page, with a secret in it: who has that may read and change everything. Runs until it is told to end (Control-C).'],
  run: async (args) => {
    const { values, positionals } = parse(options, args);
    requireArguments(positionals, []);
    const listening = listeningOf(values);
    const signal = onInterruption();
    const encryption = await encryptionOf(values);
    const hub = await hubIn(values);
    const serve = async (host: StorageHost, plain: StorageHost | null): Promise<void> => {
      const { root } = ownerOf(host);
      await unlockAll(values, root, encryptedOrigins(root), 'told');
      await serveUntil(signal, inspectorOf(host, { plain, hub }, values, signal), values, listening);
    };
    await withHost(values, (host) => (encryption !== undefined ? withHost(values, (plain) => serve(host, plain), null) : serve(host, null)), encryption).finally(() => hub?.close());
    return 0;
  },
};

interface Listening {
  readonly port: number;
  readonly host: string;
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
}

type Handler = (request: Request) => Promise<Response>;

async function inspectorOf(host: StorageHost, { plain, hub }: { plain: StorageHost | null; hub: Hub | null }, values: InspectValues, signal: AbortSignal): Promise<Handler> {
  const { inspector } = await import('../../inspector/code.ts');
  return inspector(host, { readOnly: values['read-only'] === true, signal, ...(hub !== null && { hub }), ...(plain !== null && { plain }) });
}

async function serveUntil(signal: AbortSignal, inspector: Promise<Handler>, values: InspectValues, listening: Listening): Promise<void> {
  const { guarded, serve } = await import('../../inspector/code.ts');
  const token = secret();
  const handler = await inspector;
  const isSecure = listening.tls !== undefined;
  const names = (values.name ?? []).map((name) => name.toLowerCase());
  // Cookies do not know ports: another inspector of this machine has another name.
  const serving = await serve(guarded(handler, { token, session: secret(), cookie: `holdfast-${secret().slice(0, 8)}`, names, isSecure }), listening);
  const address = `${serving.url}?token=${token}`;
  console.log(address);
  if (values.open) open(address);
  await ended(signal);
  await serving.close();
}

function secret(): string {
  return Buffer.from(randomBytes(32)).toString('hex');
}

function listeningOf({ port = '0', host = '127.0.0.1', cert, key }: InspectValues): Listening {
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) > 65_535) throw new UsageError(`'--port' takes a number from 0 to 65535, not '${port}'`);
  if (host === '') throw new UsageError("'--host' takes an address");
  if ((cert === undefined) !== (key === undefined)) throw new UsageError("'--cert' and '--key' belong together");
  if (cert !== undefined && key !== undefined) return { port: Number(port), host, tls: { cert: read(cert), key: read(key) } };
  if (!isLoopback(host)) warn(`without --cert and --key whoever can listen to the network to ${host} has the secret, and everything with it`);
  return { port: Number(port), host };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function read(file: string): Buffer {
  try {
    return fs.readFileSync(file);
  } catch (error) {
    throw new HoldfastError('bad-option', `The file ${file} cannot be read (${errorCode(error)}).`, { cause: error });
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const staying = setInterval(() => undefined, 2 ** 30);
    const end = (): void => {
      clearInterval(staying);
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });
}

const OPENERS: Readonly<Record<string, readonly [string, ...string[]]>> = { darwin: ['open'], win32: ['rundll32', 'url.dll,FileProtocolHandler'] };

/** As the system opens an address. */
function open(address: string): void {
  const [program, ...first] = OPENERS[process.platform] ?? ['xdg-open'];
  const child = spawn(program, [...first, address], { stdio: 'ignore', detached: true });
  child.on('error', (error) => warn(`no browser could be opened (${errorCode(error)}): open the address above`));
  child.unref();
}

function warn(text: string): void {
  console.error(`holdfast inspect: ${text}`);
}
