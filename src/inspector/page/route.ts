import { useEffect, useState } from 'preact/hooks';

export const TABS = ['overview', 'items', 'files', 'databases', 'caches', 'locks', 'sync', 'coordinators'] as const;
export type Tab = (typeof TABS)[number];

/** What is shown: all of it is in the address, so that back, forward and a reload lead to it. */
export interface Route {
  readonly origin: string | null;
  readonly tab: Tab;
  readonly bucket: string;
  /** Of files. */
  readonly path: readonly string[];
  /** Of databases and caches. */
  readonly database: string | null;
  readonly store: string | null;
  readonly index: string | null;
}

const START: Route = { origin: null, tab: 'overview', bucket: 'default', path: [], database: null, store: null, index: null };

function read(): Route {
  try {
    const given: unknown = JSON.parse(decodeURIComponent(location.hash.slice(1)));
    return typeof given === 'object' && given !== null ? checked({ ...START, ...given }) : START;
  } catch {
    return START;
  }
}

function checked(route: Route): Route {
  const isText = [route.origin, route.database, route.store, route.index].every((each) => each === null || typeof each === 'string');
  const isPath = Array.isArray(route.path) && route.path.every((name) => typeof name === 'string');
  return isText && isPath && typeof route.bucket === 'string' && TABS.includes(route.tab) ? route : START;
}

/** Only what differs from the start is in the address. */
function write(route: Route): string {
  const told = Object.entries(route).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(START[name as keyof Route]));
  return `#${encodeURIComponent(JSON.stringify(Object.fromEntries(told)))}`;
}

/** A function is given what the address says now, which keys that follow fast are ahead of. */
export type Go = (to: Partial<Route> | ((now: Route) => Partial<Route>)) => void;

export function useRoute(): readonly [Route, Go] {
  const [route, setRoute] = useState(read);
  useEffect(() => {
    const follow = (): void => setRoute(read());
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const go: Go = (to) => {
    const now = read();
    location.hash = write({ ...now, ...(typeof to === 'function' ? to(now) : to) });
  };
  return [route, go];
}

/** What a look at another origin begins with. */
export function atOrigin(origin: string | null): Partial<Route> {
  return { ...START, origin };
}
