import type { JSX } from 'preact';
import { useCallback, useState } from 'preact/hooks';
import type { CacheInfo, CacheRow, Page } from '../messages.ts';
import { addressOf, call } from './api.ts';
import type { PanelProps } from './app.tsx';
import { plural } from './format.ts';
import { List } from './list.tsx';
import { Problem, Search, Text, useLoaded, useSettled } from './parts.tsx';
import { Preview } from './preview.tsx';

/** The caches of a bucket: entries, headers, bodies. */
export function Caches(props: PanelProps): JSX.Element {
  const { origin, route, go, versions, readOnly, ask } = props;
  const { bucket } = route;
  const { value, error } = useLoaded(() => call<{ caches: CacheInfo[] }>('caches', { origin, bucket }), JSON.stringify([origin, bucket]), versions.caches);
  if (error !== '') return <Problem>{error}</Problem>;
  if (value === null) return <p class="empty">…</p>;
  if (value.caches.length === 0) return <p class="empty">There is no cache.</p>;
  const cache = value.caches.find(({ name }) => name === route.database) ?? value.caches[0];
  const remove = (name: string): void => ask({ title: 'Delete the cache', text: <>The cache <Text>{name}</Text> is deleted, with all its entries.</>, action: 'Delete', danger: true, act: async () => void (await call('delete-cache', { origin, bucket, cache: name })) });
  return (
    <div class="fill">
      <div class="tools">
        <label class="field row-field">
          Cache
          <select value={cache?.name ?? ''} onChange={(event) => go({ database: event.currentTarget.value })}>
            {value.caches.map(({ name, entries }) => <option key={name} value={name}>{name} · {plural(entries, 'entry', 'entries')}</option>)}
          </select>
        </label>
        <span class="space" />
        {!readOnly && cache !== undefined && <button type="button" class="danger" onClick={() => remove(cache.name)}>Delete the cache…</button>}
      </div>
      {cache !== undefined && <Entries key={JSON.stringify([bucket, cache.name])} {...props} cache={cache.name} />}
    </div>
  );
}

function Entries({ origin, route, cache, versions, readOnly, ask }: PanelProps & { readonly cache: string }): JSX.Element {
  const [typed, setTyped] = useState('');
  const [selected, setSelected] = useState<CacheRow | null>(null);
  const [own, setOwn] = useState(0);
  const search = useSettled(typed);
  const where = { origin, bucket: route.bucket, cache };
  const load = useCallback((offset: number, limit: number) => call<Page<CacheRow>>('entries', { ...where, offset, limit, search }), [JSON.stringify(where), search]);
  const remove = ({ index, url }: CacheRow): void => {
    if (readOnly) return;
    ask({
      title: 'Delete the entry',
      text: <>The response to <Text>{url}</Text> is deleted.</>,
      action: 'Delete',
      danger: true,
      act: async () => {
        await call('remove-cached', { ...where, index, url });
        setSelected(null);
        setOwn((before) => before + 1);
      },
    });
  };
  const args = selected === null ? null : { ...where, index: selected.index, url: selected.url };
  return (
    <>
      <div class="tools"><Search label="Search URLs" value={typed} onInput={setTyped} /></div>
      <div class={`split${selected === null ? '' : ' open'}`}>
        <List<CacheRow>
          label="entries"
          class="three"
          rowHeight={30}
          query={JSON.stringify([where, search])}
          version={versions.caches * 1e6 + own}
          load={load}
          keyOf={({ index, url }) => `${index} ${url}`}
          selected={selected === null ? null : `${selected.index} ${selected.url}`}
          onSelect={setSelected}
          onOpen={setSelected}
          onKey={(event, row) => {
            if (event.key !== 'Delete' || row === undefined) return;
            event.preventDefault();
            remove(row);
          }}
          head={<><span>URL</span><span class="number">status</span><span>type</span></>}
          empty={search === '' ? 'The cache is empty.' : 'No URL has this.'}
          render={({ method, url, status, headers }) => (
            <>
              <span role="gridcell" class="cell">{method !== 'GET' && <span class="muted">{method} </span>}<Text>{url.startsWith(`${origin}/`) ? url.slice(origin.length) : url}</Text></span>
              <span role="gridcell" class="number">{status}</span>
              <span role="gridcell" class="cell muted"><Text>{headers.find(([name]) => name === 'content-type')?.[1] ?? ''}</Text></span>
            </>
          )}
        />
        {selected !== null && args !== null && (
          <aside class="look" aria-label="Entry">
            <header class="tools">
              <b class="name"><Text>{selected.url}</Text></b>
              <span class="space" />
              <a class="button" href={addressOf('cached', { ...args, as: 'download' })} download>Download</a>
              {!readOnly && <button type="button" class="danger" onClick={() => remove(selected)}>Delete…</button>}
              <button type="button" class="quiet sign" aria-label="Close the entry" onClick={() => setSelected(null)}>×</button>
            </header>
            <details class="headers">
              <summary>{selected.status} {selected.statusText} · {plural(selected.headers.length, 'header')}</summary>
              <Headers label="Response" headers={selected.headers} />
              {selected.requestHeaders.length > 0 && <Headers label="Request" headers={selected.requestHeaders} />}
            </details>
            <Preview key={JSON.stringify(args)} name="cached" args={args} version={versions.caches} />
          </aside>
        )}
      </div>
    </>
  );
}

function Headers({ label, headers }: { readonly label: string; readonly headers: CacheRow['headers'] }): JSX.Element {
  return (
    <>
      <h3>{label}</h3>
      <dl>{headers.map(([name, value], index) => [<dt key={`n${index}`}><Text>{name}</Text></dt>, <dd key={`v${index}`} class="mono"><Text>{value}</Text></dd>])}</dl>
    </>
  );
}
