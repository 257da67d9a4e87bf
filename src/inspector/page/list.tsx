import type { ComponentChildren, JSX } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Page } from '../messages.ts';

/** Rows that are asked for at once. */
const CHUNK = 100;

/** Rows beyond what is seen, so that scrolling meets them. */
const MARGIN = 8;

/** A browser's longest element has some ten million pixels. */
const MOST_ROWS = 300_000;

export interface ListProps<Row> {
  readonly label: string;
  /** Pixels. */
  readonly rowHeight: number;
  /** Another text: another list, which begins at its top. */
  readonly query: string;
  /** Another number: the same list, of which something may have changed. */
  readonly version: number;
  readonly load: (offset: number, limit: number) => Promise<Page<Row>>;
  readonly keyOf: (row: Row) => string;
  readonly render: (row: Row, index: number) => ComponentChildren;
  readonly empty: ComponentChildren;
  readonly head?: ComponentChildren;
  readonly selected?: string | null;
  readonly onSelect?: (row: Row) => void;
  /** Enter, or a double click. */
  readonly onOpen?: (row: Row) => void;
  /** Other keys, on the row that is active, if there is one. */
  readonly onKey?: (event: KeyboardEvent, row: Row | undefined) => void;
  readonly onLoad?: (page: Page<Row>) => void;
  readonly class?: string;
}

interface State<Row> {
  readonly total: number | null;
  readonly chunks: ReadonlyMap<number, readonly Row[]>;
  readonly error: string;
}

const nothing = { total: null, chunks: new Map<number, never[]>(), error: '' };

/**
 * A list of any length, of which only the rows that are seen are asked for and drawn. One stop of the Tab key; arrows,
 * Page Up and Down, Home and End move in it.
 */
export function List<Row>(props: ListProps<Row>): JSX.Element {
  const { label, rowHeight, query, version, load, keyOf, render, empty, head, selected, onSelect, onOpen, onKey, onLoad } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const [state, setState] = useState<State<Row>>(nothing);
  const [active, setActive] = useState(0);
  const current = useRef({ query, asked: new Map<number, number>(), version });

  if (current.current.query !== query) {
    current.current = { query, asked: new Map(), version };
    setState(nothing);
    setActive(0);
  }
  current.current.version = version;

  useLayoutEffect(() => {
    if (scroller.current !== null) scroller.current.scrollTop = 0;
    setView((before) => ({ ...before, top: 0 }));
  }, [query]);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const measure = new ResizeObserver(() => setView((before) => ({ ...before, height: element.clientHeight })));
    measure.observe(element);
    return () => measure.disconnect();
  }, []);

  const first = Math.max(0, Math.floor(view.top / rowHeight) - MARGIN);
  const last = Math.ceil((view.top + view.height) / rowHeight) + MARGIN;
  const total = state.total;
  const shownRows = Math.min(total ?? 0, MOST_ROWS);
  const firstChunk = Math.floor(first / CHUNK);
  const lastChunk = Math.floor(Math.max(first, Math.min(last, Math.max(0, (total ?? 1) - 1))) / CHUNK);

  const fetchChunk = useCallback(
    (chunk: number) => {
      const asked = current.current;
      const wanted = asked.version;
      if ((asked.asked.get(chunk) ?? -1) >= wanted) return;
      asked.asked.set(chunk, wanted);
      load(chunk * CHUNK, CHUNK).then(
        (page) => {
          if (current.current !== asked || (asked.asked.get(chunk) ?? -1) > wanted) return;
          setState((before) => ({ total: page.total, error: '', chunks: new Map(before.chunks).set(chunk, page.rows) }));
          onLoad?.(page);
        },
        (error: Error) => {
          if (current.current === asked) setState((before) => ({ ...before, total: before.total ?? 0, error: error.message }));
        },
      );
    },
    [load, onLoad],
  );

  useEffect(() => {
    for (let chunk = firstChunk; chunk <= lastChunk; chunk += 1) fetchChunk(chunk);
  }, [firstChunk, lastChunk, version, query, fetchChunk]);

  const rowAt = (index: number): Row | undefined => state.chunks.get(Math.floor(index / CHUNK))?.[index % CHUNK];

  const reveal = (index: number): void => {
    const element = scroller.current;
    if (element === null) return;
    const top = index * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + element.clientHeight) element.scrollTop = top + rowHeight - element.clientHeight;
  };

  const move = (index: number): void => {
    const next = Math.max(0, Math.min(shownRows - 1, index));
    setActive(next);
    reveal(next);
    const row = rowAt(next);
    if (row !== undefined) onSelect?.(row);
  };

  const page = Math.max(1, Math.floor(view.height / rowHeight) - 1);
  const steps: Readonly<Record<string, number>> = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: shownRows - 1 };

  const press = (event: KeyboardEvent): void => {
    // What is typed into a field of a row is the field's.
    if (event.target !== scroller.current || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = steps[event.key];
    const row = rowAt(active);
    if (step !== undefined) move(step);
    else if (event.key === 'Enter' && row !== undefined && onOpen !== undefined) onOpen(row);
    else return onKey?.(event, row);
    event.preventDefault();
  };

  const rows: JSX.Element[] = [];
  for (let index = first; index < Math.min(last, shownRows); index += 1) {
    const row = rowAt(index);
    const key = row === undefined ? `empty ${index}` : keyOf(row);
    const isSelected = selected === undefined ? index === active : row !== undefined && keyOf(row) === selected;
    rows.push(
      <div
        key={key}
        id={`${label}-${index}`}
        role="row"
        aria-rowindex={index + 1}
        aria-selected={isSelected}
        class={`row${index === active ? ' active' : ''}${isSelected ? ' selected' : ''}`}
        style={{ transform: `translateY(${index * rowHeight}px)`, height: `${rowHeight}px` }}
        onClick={() => {
          setActive(index);
          if (row !== undefined) onSelect?.(row);
        }}
        onDblClick={() => row !== undefined && onOpen?.(row)}
      >
        {row === undefined ? <span class="waiting" role="gridcell" /> : render(row, index)}
      </div>,
    );
  }

  return (
    <div class={`list ${props.class ?? ''}`}>
      {head !== undefined && <div class="head" aria-hidden="true">{head}</div>}
      <div
        class="scroller"
        ref={scroller}
        role="grid"
        tabIndex={0}
        aria-label={label}
        aria-rowcount={total ?? -1}
        aria-activedescendant={shownRows > 0 ? `${label}-${active}` : undefined}
        aria-busy={total === null}
        onKeyDown={press}
        onScroll={(event) => setView((before) => ({ ...before, top: (event.currentTarget as HTMLDivElement).scrollTop }))}
      >
        <div class="rows" style={{ height: `${shownRows * rowHeight}px` }}>{rows}</div>
        {state.error !== '' && <p class="empty error" role="alert">{state.error}</p>}
        {total === 0 && state.error === '' && <p class="empty">{empty}</p>}
      </div>
      {total !== null && total > MOST_ROWS && <p class="note">The first {MOST_ROWS.toLocaleString('en')} of {total.toLocaleString('en')}: search to narrow it down.</p>}
    </div>
  );
}
