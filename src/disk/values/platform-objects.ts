import { ValueDamagedError } from './value-error.ts';

/** What the serialization steps of a platform object give. */
export interface PlatformData {
  /** Which interface, by a number that docs/FORMAT.md names. */
  readonly kind: number;
  /** A plain value. */
  readonly data: unknown;
}

/**
 * The platform objects that can be serialized, for whoever stores or sends values.
 * https://html.spec.whatwg.org/#serializable-objects
 */
export interface PlatformObjects {
  /**
   * The serialization steps; null for what is no such object. Called for every object that is not of the language
   * itself, so cheap and without side effects for others.
   *
   * @throws UncloneableError for one that cannot be serialized now
   */
  serialize(value: object): PlatformData | null;
  /**
   * The deserialization steps. The data may come from anywhere: everything in it is checked.
   *
   * @throws ValueDamagedError
   */
  deserialize(data: PlatformData): object;
}

/** There are none. */
export const noPlatformObjects: PlatformObjects = {
  serialize: () => null,
  deserialize: () => {
    throw new ValueDamagedError('there are no platform objects here');
  },
};
