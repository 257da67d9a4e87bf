import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Bytes, Cut } from '../messages.ts';
import { bytes, count, visible } from './format.ts';

/** What tenants have written: text, whatever it is. */
export function Text({ children }: { readonly children: string }): JSX.Element {
  return <bdi class="text">{visible(children)}</bdi>;
}

export function CutText({ cut }: { readonly cut: Cut }): JSX.Element {
  return (
    <>
      <Text>{cut.text}</Text>
      {cut.length > cut.text.length && <span class="muted">… {count(cut.length)}</span>}
    </>
  );
}

export const KINDS = [
  ['localStorage', 'Local storage'],
  ['fileSystem', 'Files'],
  ['indexedDB', 'IndexedDB'],
  ['caches', 'Caches'],
] as const satisfies readonly (readonly [keyof Bytes, string])[];

/** What takes how much of a whole, as a bar. */
export function UsageBar({ usage, whole }: { readonly usage: Bytes; readonly whole: number }): JSX.Element {
  return (
    <span class="bar" aria-hidden="true">
      {KINDS.map(([kind]) => (usage[kind] === 0 ? null : <i key={kind} class={`kind ${kind}`} style={{ width: `${(100 * usage[kind]) / Math.max(1, whole)}%` }} />))}
    </span>
  );
}

export function Legend({ usage }: { readonly usage: Bytes }): JSX.Element {
  return (
    <ul class="legend">
      {KINDS.map(([kind, name]) => (
        <li key={kind}>
          <i class={`kind ${kind}`} />
          <span>{name}</span>
          <b class="number">{bytes(usage[kind])}</b>
        </li>
      ))}
    </ul>
  );
}

interface Loaded<T> {
  readonly value: T | null;
  readonly error: string;
}

/** What the server says, again whenever one of `deps` changes; what was there before stays meanwhile. */
export function useLoaded<T>(load: () => Promise<T>, query: string, version: number): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T> & { readonly query: string }>({ value: null, error: '', query });
  useEffect(() => {
    let isWanted = true;
    load().then(
      (value) => isWanted && setLoaded({ value, error: '', query }),
      (error: Error) => isWanted && setLoaded((before) => ({ value: before.query === query ? before.value : null, error: error.message, query })),
    );
    return () => {
      isWanted = false;
    };
  }, [query, version]);
  return loaded.query === query ? loaded : { value: null, error: '' };
}

/** What is asked a moment after the last key. */
export function useSettled(text: string, milliseconds = 150): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), milliseconds);
    return () => clearTimeout(timer);
  }, [text, milliseconds]);
  return settled;
}

interface SearchProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
}

export function Search({ label, value, onInput }: SearchProps): JSX.Element {
  return <input type="search" class="search" aria-label={label} placeholder={label} value={value} spellcheck={false} autocomplete="off" onInput={(event) => onInput(event.currentTarget.value)} />;
}

export function Problem({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <p class="problem" role="alert">{children}</p>;
}

interface TableProps {
  readonly label: string;
  /** Those whose names begin with `#` have numbers. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly ComponentChildren[])[];
  readonly empty: string;
}

/** A short table. */
export function Table({ label, columns, rows, empty }: TableProps): JSX.Element {
  if (rows.length === 0) return <p class="empty">{empty}</p>;
  const classOf = (column: number): string => (columns[column]?.startsWith('#') === true ? 'number' : '');
  return (
    <div class="table" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>{columns.map((name, column) => <th key={name} scope="col" class={classOf(column)}>{name.replace(/^#/, '')}</th>)}</tr>
        </thead>
        <tbody>
          {rows.map((cells, row) => (
            <tr key={row}>{cells.map((cell, column) => <td key={column} class={classOf(column)}>{cell}</td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
