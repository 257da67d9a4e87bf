import type { JSX } from 'preact';
import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ItemRow, Page } from '../messages.ts';
import { ApiError, call } from './api.ts';
import type { PanelProps } from './app.tsx';
import { count } from './format.ts';
import { List } from './list.tsx';
import { CutText, Search, Text, useSettled } from './parts.tsx';

const ROW = 30;

interface Editing {
  readonly key: string;
  readonly field: 'key' | 'value';
  /** What the value is, all of it. */
  readonly value: string;
}

/** localStorage, as a table that is edited in place. */
export function Items({ origin, versions, readOnly, ask }: PanelProps): JSX.Element {
  const [typed, setTyped] = useState('');
  const [editing, setEditing] = useState<Editing | null>(null);
  const [adding, setAdding] = useState(false);
  const [selected, setSelected] = useState<string | null>(null);
  const [error, setError] = useState('');
  const [own, setOwn] = useState(0);
  const [total, setTotal] = useState<number | null>(null);
  const search = useSettled(typed);
  const load = useCallback((offset: number, limit: number) => call<Page<ItemRow>>('items', { origin, offset, limit, search }), [origin, search]);

  const attempt = async (body: () => Promise<unknown>): Promise<boolean> => {
    try {
      await body();
      setError('');
      return true;
    } catch (thrown) {
      setError((thrown as Error).message);
      return false;
    } finally {
      setOwn((before) => before + 1);
    }
  };

  const edit = (key: string, field: Editing['field']): void => {
    if (readOnly) return;
    void attempt(async () => {
      const { value } = await call<{ value: string }>('item', { origin, key });
      setEditing({ key, field, value });
    });
  };

  const focus = (): void => document.querySelector<HTMLElement>('.items .scroller')?.focus();

  const save = async (text: string): Promise<void> => {
    if (editing === null) return;
    const { key, field, value } = editing;
    const isSame = text === (field === 'key' ? key : value);
    const change = field === 'key' ? { key: text, value, renamed: key } : { key, value: text, expected: value };
    const isDone = isSame || (await attempt(() => call('set-item', { origin, ...change })));
    if (!isDone) return;
    setEditing(null);
    focus();
  };

  const remove = (key: string): void => {
    if (readOnly) return;
    ask({ title: 'Remove the item', text: <>The item <Text>{key}</Text> is removed.</>, action: 'Remove', danger: true, act: async () => void (await call('remove-item', { origin, key }), setOwn((before) => before + 1)) });
  };

  const clear = (): void => ask({ title: 'Remove all items', text: `All ${count(total ?? 0)} items are removed.`, action: 'Remove all', danger: true, act: async () => void (await call('clear-items', { origin }), setOwn((before) => before + 1)) });

  return (
    <div class="items fill">
      <div class="tools">
        <Search label="Search keys and values" value={typed} onInput={setTyped} />
        <span class="muted number">{total === null ? '' : `${count(total)} ${search === '' ? '' : 'found'}`}</span>
        <span class="space" />
        {!readOnly && <button type="button" onClick={() => setAdding(true)}>Add…</button>}
        {!readOnly && search === '' && <button type="button" class="danger" disabled={total === 0} onClick={clear}>Remove all…</button>}
      </div>
      {error !== '' && <p class="problem" role="alert">{error}</p>}
      {adding && (
        <Add
          onClose={() => setAdding(false)}
          add={async (key, value) => {
            await call('set-item', { origin, key, value, expected: null });
            setOwn((before) => before + 1);
          }}
        />
      )}
      <List<ItemRow>
        label="items"
        class="three"
        rowHeight={ROW}
        query={`${origin} ${search}`}
        version={versions.items * 1e6 + own}
        load={load}
        keyOf={({ key }) => key}
        selected={selected}
        onSelect={({ key }) => setSelected(key)}
        onLoad={(page) => setTotal(page.total)}
        onOpen={({ key }) => edit(key, 'value')}
        onKey={(event, row) => {
          if (event.key === 'Delete' && row !== undefined) remove(row.key);
          else if (event.key === 'F2' && row !== undefined) edit(row.key, 'key');
          else return;
          event.preventDefault();
        }}
        head={<><span>key</span><span>value</span><span class="number">length</span></>}
        empty={search === '' ? 'There is no item.' : 'No key or value has this.'}
        render={({ key, value }) => {
          const field = editing?.key === key ? editing.field : null;
          return (
            <>
              <span role="gridcell" class="cell" onDblClick={(event) => !readOnly && (event.stopPropagation(), edit(key, 'key'))}>
                {field === 'key' ? <Editor label="Key" text={key} save={save} cancel={() => (setEditing(null), focus())} /> : <Text>{key}</Text>}
              </span>
              <span role="gridcell" class="cell mono">
                {field === 'value' && editing !== null ? <Editor label="Value" text={editing.value} save={save} cancel={() => (setEditing(null), focus())} /> : <CutText cut={value} />}
              </span>
              <span role="gridcell" class="number muted">{count(value.length)}</span>
            </>
          );
        }}
      />
      <p class="hint">{readOnly ? 'Read-only.' : 'Enter edits a value, F2 a key; then Enter saves, Shift+Enter is a new line, Escape cancels. Delete removes.'}</p>
    </div>
  );
}

interface EditorProps {
  readonly label: string;
  readonly text: string;
  readonly save: (text: string) => Promise<void>;
  readonly cancel: () => void;
}

/** Over the cell, as high as its text needs. */
function Editor({ label, text, save, cancel }: EditorProps): JSX.Element {
  const area = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const element = area.current;
    if (element === null) return;
    element.value = text;
    element.focus();
    element.select();
    fit(element);
  }, []);
  const press = (event: KeyboardEvent): void => {
    event.stopPropagation();
    if (event.key === 'Escape') cancel();
    else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) void save(area.current?.value ?? text);
    else return;
    event.preventDefault();
  };
  return <textarea ref={area} class="editor" aria-label={label} rows={1} spellcheck={false} onKeyDown={press} onInput={(event) => fit(event.currentTarget)} onDblClick={(event) => event.stopPropagation()} />;
}

const MOST_PIXELS = 300;

function fit(element: HTMLTextAreaElement): void {
  element.style.height = 'auto';
  element.style.height = `${Math.min(MOST_PIXELS, element.scrollHeight + 2)}px`;
}

interface AddProps {
  readonly add: (key: string, value: string) => Promise<void>;
  readonly onClose: () => void;
}

function Add({ add, onClose }: AddProps): JSX.Element {
  const [error, setError] = useState('');
  const first = useRef<HTMLInputElement>(null);
  const second = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => first.current?.focus(), []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await add(first.current?.value ?? '', second.current?.value ?? '');
      onClose();
    } catch (thrown) {
      setError(thrown instanceof ApiError && thrown.code === 'changed' ? 'There is such an item already: edit it in the table.' : (thrown as Error).message);
    }
  };
  return (
    <form class="add" onSubmit={(event) => void submit(event)} onKeyDown={(event) => event.key === 'Escape' && onClose()}>
      <input ref={first} aria-label="New key" placeholder="key" spellcheck={false} autocomplete="off" />
      <textarea ref={second} aria-label="New value" placeholder="value" rows={1} spellcheck={false} />
      <button type="submit" class="primary">Add</button>
      <button type="button" onClick={onClose}>Cancel</button>
      {error !== '' && <p class="error" role="alert">{error}</p>}
    </form>
  );
}
