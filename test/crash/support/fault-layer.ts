import fs from 'node:fs';

/*
 * Stands between the product and `node:fs`: every function of the default export, in its synchronous, callback and
 * promise form, asks the handler of the moment before it does anything, and tells it afterwards. A call inside another
 * one (the runtime's own writeFileSync calls openSync) is a call of its own, so each system call is a boundary.
 */

/** One call of a function of `node:fs` that concerns the watched directory, or `/proc`, where life is probed. */
export interface Call {
  /** `writeSync`, `write` (with a callback) or `promises.writeFile`. */
  readonly name: string;
  readonly parameters: readonly unknown[];
  /** Whether the runtime makes it on behalf of another call that was told of. */
  readonly nested: boolean;
}

/** What is to go wrong with a call: it fails before or after its work, or it writes only a part. */
export type Fault = { readonly code: string; readonly late: boolean } | { readonly bytes: number };

export interface Handler {
  before?(call: Call): Fault | undefined;
  /** Not called when the call failed. */
  after?(call: Call, result: unknown): void;
}

type Anything = (this: unknown, ...parameters: unknown[]) => unknown;
type Functions = Record<string, Anything>;

let handler: Handler | null = null;
let watched = '';
let depth = 0;
let installed = false;

/** The paths of open descriptors, whoever opened them. */
const opened = new Map<number, string>();

/** Puts `next` in front of all calls that concern `directory`; null lets them pass. */
export function handleCalls(directory: string, next: Handler | null): void {
  if (!installed) install();
  watched = directory;
  handler = next;
}

/** The path under which a descriptor was opened. */
export function pathOf(descriptor: number): string | undefined {
  return opened.get(descriptor);
}

/** Whether a call writes bytes at a descriptor. */
export function isWrite({ name }: Call): boolean {
  return name === 'writeSync' || name === 'write';
}

/** How many bytes a write is to write. */
export function bytesOf({ parameters: [, data, , length] }: Call): number {
  return typeof length === 'number' ? length : Buffer.byteLength(data as string | Uint8Array);
}

const changing = /^(promises\.)?(write|append|mk|rename|link|symlink|unlink|rm|copyFile|cp|f?truncate|[fl]?chmod|[fl]?utimes)/;

/** Whether a call changes what is on the disk; reading, and closing, does not. */
export function isChange({ name, parameters }: Call): boolean {
  return changing.test(name) || (name === 'openSync' && mayCreate(parameters[1]));
}

function mayCreate(flags: unknown): boolean {
  return typeof flags === 'string' ? /[wa]/.test(flags) : (Number(flags) & fs.constants.O_CREAT) !== 0;
}

export function systemError(code: string, call: string): Error {
  return Object.assign(new Error(`${code}: injected, ${call}`), { code, syscall: call.replace(/^promises\.|Sync$/g, '') });
}

function install(): void {
  installed = true;
  const table = fs as unknown as Functions;
  for (const name of Object.keys(table)) {
    if (typeof table[name] !== 'function' || /^(exists|realpath|[A-Z_])/.test(name) && name !== 'existsSync') continue;
    if (name.endsWith('Sync') || name === 'watch') wrapSync(table, name);
    else if (`${name}Sync` in table) wrapCallback(table, name);
  }
  const promises = fs.promises as unknown as Functions;
  for (const name of Object.keys(promises)) if (typeof promises[name] === 'function') wrapPromise(promises, name);
}

function wrapSync(table: Functions, name: string): void {
  const original = table[name] as Anything;
  table[name] = function (...parameters) {
    const call = concerning(name, parameters);
    if (call === null) return note(name, parameters, original.apply(this, parameters));
    const fault = handler?.before?.(call);
    depth++;
    try {
      const result = perform(call, fault, (changed) => original.apply(this, changed));
      if (handler !== null) handler.after?.(call, result);
      return note(name, parameters, result);
    } finally {
      depth--;
    }
  };
}

/** A descriptor is gone whatever close() says; and what fails late has been done. */
function perform(call: Call, fault: Fault | undefined, proceed: (parameters: unknown[]) => unknown): unknown {
  const parameters = [...call.parameters];
  if (fault === undefined) return proceed(parameters);
  if ('bytes' in fault) return proceed(shortened(parameters, fault.bytes));
  if (call.name === 'closeSync') note(call.name, parameters, proceed(parameters));
  else if (fault.late) undo(call.name, proceed(parameters));
  throw systemError(fault.code, call.name);
}

/** Nobody gets to know the descriptor of an open that fails late. */
function undo(name: string, result: unknown): void {
  if (name === 'openSync') fs.closeSync(result as number);
}

function wrapCallback(table: Functions, name: string): void {
  const original = table[name] as Anything;
  table[name] = function (...parameters) {
    const call = concerning(name, parameters);
    const callback = parameters.at(-1);
    if (call === null || typeof callback !== 'function') return original.apply(this, parameters);
    const fault = handler?.before?.(call);
    const fail = (code: string): void => void setImmediate(() => (callback as (error: Error) => void)(systemError(code, name)));
    if (fault !== undefined && 'code' in fault && !fault.late) return fail(fault.code);
    const withoutCallback = parameters.slice(0, -1);
    const changed = fault !== undefined && 'bytes' in fault ? shortened(withoutCallback, fault.bytes) : withoutCallback;
    return original.call(this, ...changed, (error: Error | null, ...results: unknown[]) => {
      if (fault !== undefined && 'code' in fault) return fail(fault.code);
      if (error === null) handler?.after?.(call, results[0]);
      (callback as Anything)(error, ...results);
    });
  };
}

function wrapPromise(table: Functions, name: string): void {
  const original = table[name] as Anything;
  table[name] = async function (...parameters) {
    const call = concerning(`promises.${name}`, parameters);
    if (call === null) return original.apply(this, parameters);
    const fault = handler?.before?.(call);
    if (fault === undefined || 'bytes' in fault) {
      const result = await original.apply(this, parameters);
      handler?.after?.(call, result);
      return result;
    }
    if (fault.late) await original.apply(this, parameters);
    throw systemError(fault.code, `promises.${name}`);
  };
}

/** The parameters of a write of so many bytes at most. */
function shortened(parameters: unknown[], bytes: number): unknown[] {
  const [descriptor, data, offset, length, position] = parameters;
  if (typeof data === 'string') return [descriptor, Buffer.from(data).subarray(0, bytes), 0, bytes, offset];
  const all = Number(length ?? (data as Uint8Array).byteLength);
  return [descriptor, data, Number(offset ?? 0), Math.min(bytes, all), position];
}

function concerning(name: string, parameters: unknown[]): Call | null {
  if (handler === null) return null;
  const concerned = parameters.slice(0, 2).some((parameter, index) => {
    const path = typeof parameter === 'number' && index === 0 ? opened.get(parameter) : parameter;
    return typeof path === 'string' && (path === watched || path.startsWith(`${watched}/`) || path.startsWith('/proc/'));
  });
  return concerned ? { name, parameters, nested: depth > 0 } : null;
}

function note(name: string, parameters: unknown[], result: unknown): unknown {
  if (name === 'openSync') opened.set(result as number, String(parameters[0]));
  if (name === 'closeSync') opened.delete(parameters[0] as number);
  return result;
}
