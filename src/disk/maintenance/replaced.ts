import { randomUuid } from '../../runtime/random.ts';

const SUFFIX = '.replaced';

/** For an origin in a root's workshop whose place another is about to take: data, which no sweep knows, until that has it. */
export function replacedName(): string {
  return randomUuid() + SUFFIX;
}

export function isReplaced(name: string): boolean {
  return name.endsWith(SUFFIX);
}
