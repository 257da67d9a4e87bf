import type { JSX } from 'preact';
import { useCallback, useState } from 'preact/hooks';
import type { OriginRow, Origins as OriginsPage, Page } from '../messages.ts';
import { call } from './api.ts';
import { bytes, count, plural } from './format.ts';
import { List } from './list.tsx';
import { Search, Text, UsageBar, useSettled } from './parts.tsx';
import { atOrigin, type Go, type Route } from './route.ts';

const SORTS = [['usage', 'Largest'], ['origin', 'Name'], ['changed', 'Last changed']] as const;

interface OriginsProps {
  readonly route: Route;
  readonly go: Go;
  readonly version: number;
}

/** All origins of the root, with what they take. */
export function Origins({ route, go, version }: OriginsProps): JSX.Element {
  const [typed, setTyped] = useState('');
  const [sort, setSort] = useState<string>('usage');
  const [all, setAll] = useState<OriginsPage | null>(null);
  const search = useSettled(typed);
  const load = useCallback((offset: number, limit: number) => call<OriginsPage>('origins', { offset, limit, search, sort }), [search, sort]);
  return (
    <nav class="origins" aria-label="Origins">
      <div class="tools">
        <Search label="Search origins" value={typed} onInput={setTyped} />
        <select aria-label="Order" value={sort} onChange={(event) => setSort(event.currentTarget.value)}>
          {SORTS.map(([value, name]) => <option key={value} value={value}>{name}</option>)}
        </select>
      </div>
      <List<OriginRow>
        label="origins"
        rowHeight={44}
        query={`${sort} ${search}`}
        version={version}
        load={load}
        keyOf={({ origin }) => origin}
        selected={route.origin}
        onSelect={({ origin }) => origin !== route.origin && go(atOrigin(origin))}
        onLoad={(page: Page<OriginRow>) => setAll(page as OriginsPage)}
        empty={search === '' ? 'No origin has stored anything yet.' : 'No origin has this in its name.'}
        render={(row) => <Row row={row} largest={all?.largest ?? 0} />}
      />
      <footer class="sum">{all === null ? '' : summary(all, search !== '')}</footer>
    </nav>
  );
}

function summary({ origins, total, surveyed, usage }: OriginsPage, isSearch: boolean): string {
  const found = isSearch ? `${count(total)} of ${plural(origins, 'origin')}` : plural(origins, 'origin');
  return `${found} · ${bytes(usage)}${surveyed < origins ? ` in ${count(surveyed)} so far` : ''}`;
}

function Row({ row, largest }: { readonly row: OriginRow; readonly largest: number }): JSX.Element {
  const { origin, usage, usageDetails, problem } = row;
  return (
    <div role="gridcell" class="origin">
      <span class="name"><Text>{origin}</Text></span>
      <span class="number">{problem !== '' ? <span class="error" title={problem}>unreadable</span> : usage === null ? '…' : bytes(usage)}</span>
      {usageDetails !== null ? <UsageBar usage={usageDetails} whole={largest} /> : <span class="bar" />}
    </div>
  );
}
