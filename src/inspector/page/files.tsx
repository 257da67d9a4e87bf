import type { JSX } from 'preact';
import { useCallback, useRef, useState } from 'preact/hooks';
import type { FileRow, Page } from '../messages.ts';
import { addressOf, ApiError, call, upload } from './api.ts';
import type { PanelProps } from './app.tsx';
import { bytes, moment, plural } from './format.ts';
import { List } from './list.tsx';
import { Search, Text, useSettled } from './parts.tsx';
import { Preview } from './preview.tsx';

/** The files of a bucket: a directory, and a look into one of its files. */
export function Files({ origin, route, go, versions, readOnly, ask }: PanelProps): JSX.Element {
  const { bucket, path } = route;
  const [typed, setTyped] = useState('');
  const [selected, setSelected] = useState<FileRow | null>(null);
  const [own, setOwn] = useState(0);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState('');
  const [total, setTotal] = useState<number | null>(null);
  const chooser = useRef<HTMLInputElement>(null);
  const search = useSettled(typed);
  const where = { origin, bucket };
  const version = versions.files * 1e6 + own;
  const load = useCallback((offset: number, limit: number) => call<Page<FileRow>>('files', { origin, bucket, path, offset, limit, search }), [origin, bucket, JSON.stringify(path), search]);
  const changed = (): void => setOwn((before) => before + 1);

  const leave = (): void => {
    setTyped('');
    setSelected(null);
    setError('');
  };

  const enter = (next: readonly string[]): void => {
    leave();
    go({ path: next });
  };

  const up = (): void => {
    leave();
    go((now) => ({ path: now.path.slice(0, -1) }));
  };

  const open = (row: FileRow): void => {
    if (row.kind === 'directory') enter([...path, row.name]);
    else setSelected(row);
  };

  const send = async (files: readonly File[]): Promise<void> => {
    setError('');
    for (const file of files) {
      setBusy(`Uploading ${file.name}…`);
      const at = { ...where, path: [...path, file.name] };
      try {
        await upload(at, file);
      } catch (thrown) {
        if (thrown instanceof ApiError && thrown.code === 'exists') askToReplace(file, at);
        else setError(`${file.name}: ${(thrown as Error).message}`);
      }
      changed();
    }
    setBusy('');
  };

  const askToReplace = (file: File, at: object): void =>
    ask({ title: 'Replace the file', text: <>There is a file <Text>{file.name}</Text> already.</>, action: 'Replace', danger: true, act: async () => void (await upload({ ...at, replace: true }, file), changed()) });

  const rename = ({ name }: FileRow): void => {
    if (readOnly) return;
    ask({
      title: 'Rename',
      text: <Text>{name}</Text>,
      action: 'Rename',
      field: { label: 'Name', value: name },
      act: async (to) => {
        await call('rename-entry', { ...where, path: [...path, name], to: [...path, to] });
        setSelected(null);
        changed();
      },
    });
  };

  const remove = ({ name, kind }: FileRow): void => {
    if (readOnly) return;
    ask({
      title: kind === 'directory' ? 'Delete the directory' : 'Delete the file',
      text: <><Text>{name}</Text> is deleted{kind === 'directory' ? ', with all that is in it' : ''}.</>,
      action: 'Delete',
      danger: true,
      act: async () => {
        await call('remove-entry', { ...where, path: [...path, name], recursive: kind === 'directory' });
        setSelected(null);
        changed();
      },
    });
  };

  const makeDirectory = (): void =>
    ask({ title: 'New directory', text: 'A directory in this one.', action: 'Make it', field: { label: 'Name', value: '' }, act: async (name) => void (await call('make-directory', { ...where, path: [...path, name] }), changed()) });

  const press = (event: KeyboardEvent, row: FileRow | undefined): void => {
    if (event.key === 'Backspace') up();
    else if (event.key === 'Delete' && row !== undefined) remove(row);
    else if (event.key === 'F2' && row !== undefined) rename(row);
    else return;
    event.preventDefault();
  };

  const drop = (event: DragEvent): void => {
    event.preventDefault();
    if (!readOnly) void send([...(event.dataTransfer?.files ?? [])]);
  };

  return (
    <div class="files fill" onDragOver={(event) => event.preventDefault()} onDrop={drop}>
      <div class="tools">
        <nav class="crumbs" aria-label="Path">
          <button type="button" class="link" onClick={() => enter([])}>/</button>
          {path.map((name, index) => <button key={index} type="button" class="link" onClick={() => enter(path.slice(0, index + 1))}><Text>{name}</Text>/</button>)}
        </nav>
        <span class="space" />
        <Search label="Search names" value={typed} onInput={setTyped} />
        {!readOnly && <button type="button" onClick={makeDirectory}>New directory…</button>}
        {!readOnly && <button type="button" onClick={() => chooser.current?.click()}>Upload…</button>}
        <input ref={chooser} type="file" multiple hidden aria-label="Files to upload" onChange={(event) => (void send([...(event.currentTarget.files ?? [])]), (event.currentTarget.value = ''))} />
      </div>
      {error !== '' && <p class="problem" role="alert">{error}</p>}
      {busy !== '' && <p class="hint" role="status">{busy}</p>}
      <div class={`split${selected === null ? '' : ' open'}`}>
        <List<FileRow>
          label="files"
          class="three"
          rowHeight={30}
          query={JSON.stringify([origin, bucket, path, search])}
          version={version}
          load={load}
          keyOf={({ name }) => name}
          selected={selected?.name ?? null}
          onSelect={setSelected}
          onOpen={open}
          onKey={press}
          onLoad={(page) => setTotal(page.total)}
          head={<><span>name</span><span class="number">size</span><span class="number">written</span></>}
          empty={search === '' ? 'The directory is empty.' : 'No name has this.'}
          render={(row) => <Row row={row} />}
        />
        {selected !== null && (
          <aside class="look" aria-label="Preview">
            <header class="tools">
              <b class="name"><Text>{selected.name}</Text></b>
              <span class="space" />
              {selected.kind === 'directory' && <button type="button" onClick={() => open(selected)}>Open</button>}
              {selected.kind === 'file' && <a class="button" href={addressOf('file', { ...where, path: [...path, selected.name], as: 'download' })} download={selected.name}>Download</a>}
              {!readOnly && <button type="button" onClick={() => rename(selected)}>Rename…</button>}
              {!readOnly && <button type="button" class="danger" onClick={() => remove(selected)}>Delete…</button>}
              <button type="button" class="quiet sign" aria-label="Close the preview" onClick={() => setSelected(null)}>×</button>
            </header>
            {selected.kind === 'file' && <Preview key={JSON.stringify([path, selected.name])} name="file" args={{ ...where, path: [...path, selected.name] }} version={version} />}
          </aside>
        )}
      </div>
      <p class="hint">
        {total === null ? '' : `${plural(total, 'entry', 'entries')}${search === '' ? '' : ' found'}. `}Enter opens, Backspace goes up{readOnly ? '.' : ', F2 renames, Delete deletes; files can be dropped here.'}
      </p>
    </div>
  );
}

function Row({ row: { name, kind, size, modified, locked } }: { readonly row: FileRow }): JSX.Element {
  return (
    <>
      <span role="gridcell" class="cell">
        <i class={`icon ${kind}`} aria-label={kind} />
        <Text>{name}</Text>
        {locked !== null && <span class="badge waiting" title={`Locked: ${locked}`}>locked</span>}
      </span>
      <span role="gridcell" class="number">{size === null ? '–' : bytes(size)}</span>
      <span role="gridcell" class="number muted">{moment(modified)}</span>
    </>
  );
}
