import process from 'node:process';
import { defineInterface, illegalConstructor, illegalInvocation, internal } from '../../webidl/interface.ts';

/** What Node 21 and later answer as `navigator.platform`. */
function platformName(): string {
  const { platform, arch } = process;
  if (platform === 'darwin') return 'MacIntel';
  if (platform === 'win32') return 'Win32';
  if (platform === 'linux') return `Linux ${{ ia32: 'i686', x64: 'x86_64' }[arch as string] ?? arch}`;
  if (platform === 'freebsd') return `FreeBSD ${{ ia32: 'i386', x64: 'amd64' }[arch as string] ?? arch}`;
  if (platform === 'openbsd') return `OpenBSD ${{ ia32: 'i386', x64: 'amd64' }[arch as string] ?? arch}`;
  if (platform === 'sunos') return `SunOS ${{ ia32: 'i86pc', x64: 'amd64' }[arch as string] ?? arch}`;
  return `${platform.charAt(0).toUpperCase()}${platform.slice(1)} ${arch}`;
}

/**
 * The `Navigator` of Node 21 and later, for a runtime that has none, with the same values.
 * https://html.spec.whatwg.org/multipage/system-state.html#the-navigator-object
 */
export class Navigator {
  /** Asked for when first read: the runtime loads its tables of languages for it, which takes many milliseconds. */
  #languages: readonly string[] | undefined;

  constructor(token: typeof internal) {
    if (token !== internal) illegalConstructor();
  }

  static #require(value: Navigator): Navigator {
    if (!(#languages in value)) throw illegalInvocation('Navigator');
    return value;
  }

  get hardwareConcurrency(): number {
    Navigator.#require(this);
    return process.getBuiltinModule('node:os').availableParallelism();
  }

  get language(): string {
    return Navigator.#require(this).languages[0] ?? 'en-US';
  }

  get languages(): readonly string[] {
    return (Navigator.#require(this).#languages ??= Object.freeze([Intl.DateTimeFormat().resolvedOptions().locale]));
  }

  get platform(): string {
    Navigator.#require(this);
    return platformName();
  }

  get userAgent(): string {
    Navigator.#require(this);
    return `Node.js/${process.version.slice(1, process.version.indexOf('.'))}`;
  }
}

defineInterface(Navigator, {
  name: 'Navigator',
  attributes: ['hardwareConcurrency', 'language', 'languages', 'platform', 'userAgent'],
});

let navigator: Navigator | undefined;

/** The realm's own navigator, for a runtime that has none. */
export function ownNavigator(): Navigator {
  return (navigator ??= new Navigator(internal));
}
