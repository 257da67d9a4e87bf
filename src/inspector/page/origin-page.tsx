import type { JSX } from 'preact';
import type { OriginInfo } from '../messages.ts';
import { call } from './api.ts';
import type { PanelProps } from './app.tsx';
import { bytes } from './format.ts';
import { Caches } from './caches.tsx';
import { Coordinators } from './coordinators.tsx';
import { Databases } from './databases.tsx';
import { Files } from './files.tsx';
import { Items } from './items.tsx';
import { LocksPanel } from './locks.tsx';
import { Overview } from './overview.tsx';
import { Problem, Text, useLoaded } from './parts.tsx';
import { atOrigin, type Tab } from './route.ts';
import { SyncPanel } from './sync.tsx';

interface Panel {
  readonly tab: Tab;
  readonly name: string;
  readonly show: (props: PanelProps) => JSX.Element;
  /** Whether it is there for this origin; absent: always. */
  readonly isThere?: (info: OriginInfo) => boolean;
  /** Whether each bucket has one of its own. */
  readonly ofBuckets?: true;
}

const PANELS: readonly Panel[] = [
  { tab: 'overview', name: 'Overview', show: (props) => <Overview {...props} /> },
  { tab: 'items', name: 'Local storage', show: (props) => <Items {...props} /> },
  { tab: 'files', name: 'Files', show: (props) => <Files {...props} />, ofBuckets: true },
  { tab: 'databases', name: 'IndexedDB', show: (props) => <Databases {...props} />, ofBuckets: true },
  { tab: 'caches', name: 'Caches', show: (props) => <Caches {...props} />, ofBuckets: true },
  { tab: 'locks', name: 'Locks', show: (props) => <LocksPanel {...props} /> },
  { tab: 'sync', name: 'Sync', show: (props) => <SyncPanel {...props} />, isThere: ({ syncs }) => syncs },
  { tab: 'coordinators', name: 'Coordinators', show: (props) => <Coordinators {...props} />, isThere: ({ coordinators }) => coordinators },
];

/** All of one origin. */
export function OriginPage(props: Omit<PanelProps, 'info'>): JSX.Element {
  const { origin, route, go, versions } = props;
  const { value: info, error } = useLoaded(() => call<OriginInfo>('origin', { origin }), origin, versions.usage);
  const there = PANELS.filter(({ isThere }) => info === null || isThere === undefined || isThere(info));
  const panel = there.find(({ tab }) => tab === route.tab) ?? there[0];
  const step = (event: KeyboardEvent): void => {
    const steps: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1 };
    const next = there[there.findIndex(({ tab }) => tab === panel?.tab) + (steps[event.key] ?? 0)];
    if (steps[event.key] === undefined || next === undefined) return;
    event.preventDefault();
    go({ tab: next.tab });
    document.getElementById(`tab-${next.tab}`)?.focus();
  };
  return (
    <section class="page" aria-label={origin}>
      <header class="title">
        <button type="button" class="quiet back" onClick={() => go(atOrigin(null))}>‹ Origins</button>
        <h2><Text>{origin}</Text></h2>
        <span class="number muted">{info === null ? '' : bytes(info.usage)}</span>
        {panel?.ofBuckets === true && info !== null && info.buckets.length > 1 && (
          <label class="bucket">
            Bucket
            <select value={route.bucket} onChange={(event) => go({ bucket: event.currentTarget.value, path: [], database: null, store: null, index: null })}>
              {info.buckets.map(({ name }) => <option key={name} value={name}>{name}</option>)}
            </select>
          </label>
        )}
      </header>
      <div class="tabs" role="tablist" aria-label="Panels" onKeyDown={step}>
        {there.map(({ tab, name }) => (
          <button key={tab} id={`tab-${tab}`} type="button" role="tab" aria-selected={tab === panel?.tab} aria-controls="panel" tabIndex={tab === panel?.tab ? 0 : -1} onClick={() => go({ tab })}>{name}</button>
        ))}
      </div>
      {error !== '' && <Problem>{error}</Problem>}
      <div class="panel" id="panel" role="tabpanel" aria-labelledby={`tab-${panel?.tab}`}>{info !== null && panel?.show({ ...props, info })}</div>
    </section>
  );
}
