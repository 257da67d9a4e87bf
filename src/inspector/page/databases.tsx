import type { JSX } from 'preact';
import { useCallback, useState } from 'preact/hooks';
import type { DatabaseInfo, Page, RecordRow, StoreInfo } from '../messages.ts';
import { call } from './api.ts';
import type { PanelProps } from './app.tsx';
import { count, plural } from './format.ts';
import { List } from './list.tsx';
import { Problem, Text, useLoaded } from './parts.tsx';
import type { Route } from './route.ts';
import { Line, Tree } from './value.tsx';

/** The databases of a bucket: stores, indexes, records. */
export function Databases(props: PanelProps): JSX.Element {
  const { origin, route, go, versions, readOnly, ask } = props;
  const { bucket } = route;
  const { value, error } = useLoaded(() => call<{ databases: { name: string; version: number }[] }>('databases', { origin, bucket }), JSON.stringify([origin, bucket]), versions.databases);
  if (error !== '') return <Problem>{error}</Problem>;
  if (value === null) return <p class="empty">…</p>;
  if (value.databases.length === 0) return <p class="empty">There is no database.</p>;
  const name = value.databases.some((each) => each.name === route.database) ? route.database : (value.databases[0]?.name ?? null);
  const remove = (database: string): void => ask({ title: 'Delete the database', text: <>The database <Text>{database}</Text> is deleted.</>, action: 'Delete', danger: true, act: async () => void (await call('delete-database', { origin, bucket, database })) });
  return (
    <div class="fill">
      <div class="tools">
        <label class="field row-field">
          Database
          <select value={name ?? ''} onChange={(event) => go({ database: event.currentTarget.value, store: null, index: null })}>
            {value.databases.map((each) => <option key={each.name} value={each.name}>{each.name} · version {each.version}</option>)}
          </select>
        </label>
        <span class="space" />
        {!readOnly && name !== null && <button type="button" class="danger" onClick={() => remove(name)}>Delete the database…</button>}
      </div>
      {name !== null && <Stores key={JSON.stringify([bucket, name])} {...props} database={name} />}
    </div>
  );
}

function Stores(props: PanelProps & { readonly database: string }): JSX.Element {
  const { origin, route, database, go, versions } = props;
  const where = { origin, bucket: route.bucket, database };
  const { value, error } = useLoaded(() => call<DatabaseInfo>('database', where), JSON.stringify(where), versions.databases);
  if (error !== '') return <Problem>{error}</Problem>;
  if (value === null) return <p class="empty">…</p>;
  if (value.stores.length === 0) return <p class="empty">The database has no store.</p>;
  const store = value.stores.find(({ name }) => name === route.store) ?? value.stores[0];
  return (
    <div class="split">
      <nav class="stores" aria-label="Stores">
        {value.stores.map((each) => <StoreLinks key={each.name} store={each} route={route} isChosen={each === store} go={go} />)}
      </nav>
      {store !== undefined && <Records key={JSON.stringify([store.name, route.index])} {...props} store={store} />}
    </div>
  );
}

interface StoreLinksProps {
  readonly store: StoreInfo;
  readonly route: Route;
  readonly isChosen: boolean;
  readonly go: PanelProps['go'];
}

function StoreLinks({ store, route, isChosen, go }: StoreLinksProps): JSX.Element {
  return (
    <>
      <button type="button" aria-pressed={isChosen && route.index === null} onClick={() => go({ store: store.name, index: null })}>
        <Text>{store.name}</Text>
        <span class="muted number">{count(store.records)}</span>
      </button>
      {store.indexes.map(({ name, keyPath, unique, multiEntry }) => (
        <button key={name} type="button" class="index" aria-pressed={isChosen && route.index === name} title={`Index on ${keyPath}${unique ? ', unique' : ''}${multiEntry ? ', an entry for each item' : ''}`} onClick={() => go({ store: store.name, index: name })}>
          <span class="muted">by</span> <Text>{name}</Text>
        </button>
      ))}
    </>
  );
}

function Records({ origin, route, database, store, versions, readOnly, ask }: PanelProps & { readonly database: string; readonly store: StoreInfo }): JSX.Element {
  const [selected, setSelected] = useState<RecordRow | null>(null);
  const [own, setOwn] = useState(0);
  const index = store.indexes.some(({ name }) => name === route.index) ? route.index : null;
  const where = { origin, bucket: route.bucket, database, store: store.name };
  const load = useCallback((offset: number, limit: number) => call<Page<RecordRow>>('records', { ...where, ...(index !== null && { index }), offset, limit }), [JSON.stringify(where), index]);
  const changed = (): void => setOwn((before) => before + 1);
  const remove = (row: RecordRow): void => {
    if (readOnly) return;
    ask({
      title: 'Delete the record',
      text: <>The record <Line value={row.primaryKey} /> is deleted.</>,
      action: 'Delete',
      danger: true,
      act: async () => {
        await call('remove-record', { ...where, handle: row.handle });
        setSelected(null);
        changed();
      },
    });
  };
  const clear = (): void => ask({ title: 'Empty the store', text: <>All {plural(store.records, 'record')} of <Text>{store.name}</Text> are deleted.</>, action: 'Empty it', danger: true, act: async () => void (await call('clear-store', where), changed()) });
  return (
    <div class="fill grow">
      <div class="tools">
        <span class="muted">{store.keyPath === null ? 'no key path' : <>key path <Text>{store.keyPath}</Text></>}{store.autoIncrement ? ', keys are generated' : ''}</span>
        <span class="space" />
        {!readOnly && <button type="button" class="danger" disabled={store.records === 0} onClick={clear}>Empty the store…</button>}
      </div>
      <div class={`split${selected === null ? '' : ' open'}`}>
        <List<RecordRow>
          label="records"
          class="two"
          rowHeight={30}
          query={JSON.stringify([where, index])}
          version={versions.databases * 1e6 + own}
          load={load}
          keyOf={({ key, handle }) => JSON.stringify([key.text, handle])}
          selected={selected === null ? null : JSON.stringify([selected.key.text, selected.handle])}
          onSelect={setSelected}
          onOpen={setSelected}
          onKey={(event, row) => {
            if (event.key !== 'Delete' || row === undefined) return;
            event.preventDefault();
            remove(row);
          }}
          head={<><span>{index === null ? 'key' : 'key of the index'}</span><span>value</span></>}
          empty="There is no record."
          render={({ key, value }) => (
            <>
              <span role="gridcell" class="cell mono"><Line value={key} /></span>
              <span role="gridcell" class="cell mono"><Line value={value} /></span>
            </>
          )}
        />
        {selected !== null && (
          <aside class="look" aria-label="Record">
            <header class="tools">
              <b class="name mono"><Line value={selected.primaryKey} /></b>
              <span class="space" />
              {!readOnly && <button type="button" class="danger" onClick={() => remove(selected)}>Delete…</button>}
              <button type="button" class="quiet sign" aria-label="Close the record" onClick={() => setSelected(null)}>×</button>
            </header>
            <div class="content mono" tabIndex={0} role="region" aria-label="Value"><Tree value={selected.value} /></div>
          </aside>
        )}
      </div>
    </div>
  );
}
