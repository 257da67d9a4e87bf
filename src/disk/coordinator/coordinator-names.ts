import { unescapeName } from '../names/escape.ts';
import type { EncodedName } from '../names/name.ts';
import { plainScript, type NameScript } from '../names/script.ts';
import type { PlaceKeys } from '../place.ts';
import type { OriginVault } from '../root/origin-vault.ts';

/** The directory of an origin's coordinators: in it one for each class, and in that one for each name. */
export const COORDINATORS = 'coordinators';

/** The file in a coordinator's directory that has its name's spelling, where the directory's own name is too short for it. */
export const SPELLING = 'name';

/** Classes of an origin whose names are kept at hand. */
const KEPT = 64;

/** As on volumes that fold names, everywhere: a name is the same directory on every volume. */
const visible = plainScript(true);

/** Which coordinator of an origin. */
export interface ClassAndName {
  readonly className: string;
  readonly name: string;
}

/** How a coordinator is called on the disk. */
export interface SpelledCoordinator {
  /** Below the origin's, with `/`. */
  readonly directory: string;
  /** What the directory has not of the name; null: it has all. */
  readonly spelling: string | null;
  /** The same in other words, where nothing is beside. */
  readonly written: ClassAndName;
}

/**
 * How the coordinators of an origin are called on the disk. Where its names are encrypted, those of classes are as names
 * of files in a bucket `coordinators`, and those of coordinators as in a bucket `coordinators/<class>`: what is put below
 * another class has no name.
 */
export class CoordinatorNames {
  readonly #keysOf: ((directory: string) => PlaceKeys) | null;
  readonly #kept = new Map<string, PlaceKeys>();

  /** `keysOf`: those of a bucket in a directory; null: the origin is not encrypted, or nobody has its keys. */
  constructor(keysOf: ((directory: string) => PlaceKeys) | null) {
    this.#keysOf = keysOf;
  }

  /** How names in a directory of the origin are written, as of now. @throws HoldfastError as a vault's `require` */
  #script(directory: string): NameScript {
    if (this.#keysOf === null) return visible;
    let keys = this.#kept.get(directory);
    if (keys === undefined) {
      if (this.#kept.size >= KEPT) this.#kept.clear();
      keys = this.#keysOf(directory);
      this.#kept.set(directory, keys);
    }
    return keys.sealing.names(visible);
  }

  /** Whether nobody can read them without the key. */
  get areEncrypted(): boolean {
    return this.#script(COORDINATORS) !== visible;
  }

  /** @throws HoldfastError as a vault's `require`; the operating system's ENOENT where the origin has no keys yet */
  spell({ className, name }: ClassAndName): SpelledCoordinator {
    const { component } = this.#script(COORDINATORS).encode(className);
    const inClass = `${COORDINATORS}/${component}`;
    const encoded = this.#script(inClass).encode(name);
    return { directory: `${inClass}/${encoded.component}`, spelling: encoded.long?.spelling ?? null, written: { className: component, name: inOne(encoded) } };
  }

  /**
   * Where it may be still that was there before the origin was encrypted, below the origin's directory; null: nothing is
   * called so any more.
   *
   * @throws as {@link spell}
   */
  before(coordinator: ClassAndName): string | null {
    return this.#script(COORDINATORS).before === undefined ? null : plain.spell(coordinator).directory;
  }

  /**
   * Where what is in a directory, below the origin's, goes on once it has moved: there, unless it is called as before the
   * origin was encrypted. `spelling`: reads what is beside.
   */
  settled(directory: string, spelling: () => string | null): string {
    if (this.#script(COORDINATORS).before === undefined) return directory;
    const [, classComponent = '', component = ''] = directory.split('/');
    const [className, name] = [this.classOf(classComponent), this.nameOf(classComponent, component, spelling)];
    return className === null || name === null ? directory : this.spell({ className, name }).directory;
  }

  /** The class that a directory is of; null: it is none's. */
  classOf(component: string): string | null {
    const decoded = this.#script(COORDINATORS).decode(component);
    return decoded !== null && 'name' in decoded ? decoded.name : null;
  }

  /** The name that a directory is of, in that of a class; null: it is nobody's. `spelling`: reads what is beside. */
  nameOf(classComponent: string, component: string, spelling: () => string | null): string | null {
    const script = this.#script(`${COORDINATORS}/${classComponent}`);
    const decoded = script.decode(component);
    if (decoded === null) return null;
    if ('name' in decoded) return decoded.name;
    const spelled = spelling();
    if (spelled === null) return null;
    return script.decodeSpelling(component, spelled) ?? (script.before === undefined ? null : movedName(script, component, spelled));
  }

  /** What was `written`; null: it was written with other keys. */
  read({ className, name: written }: ClassAndName): ClassAndName | null {
    const [component = '', spelling = null] = written.split('/');
    const [known, name] = [this.classOf(className), this.nameOf(className, component, () => spelling)];
    return known === null || name === null ? null : { className: known, name };
  }
}

/** No component has a slash in it. */
function inOne({ component, long }: EncodedName): string {
  return long === null ? component : `${component}/${long.spelling}`;
}

/** Of one that has moved, and whoever moved it was killed before what is beside was written anew. */
function movedName(script: NameScript, component: string, spelling: string): string | null {
  const name = unescapeName(spelling, true);
  return name !== null && script.encode(name).component === component ? name : null;
}

const plain = new CoordinatorNames(null);
const known = new WeakMap<OriginVault, CoordinatorNames>();

/** Those of an origin. `vault`: its keys; null: it is not encrypted, or nobody has them. */
export function namesWith(vault: OriginVault | null): CoordinatorNames {
  if (vault === null) return plain;
  const names = known.get(vault) ?? new CoordinatorNames((directory) => vault.place(directory));
  known.set(vault, names);
  return names;
}
