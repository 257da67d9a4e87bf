import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { imageType } from '../images.ts';
import { addressOf, part, type Part } from './api.ts';
import { bytes, count } from './format.ts';
import { Problem, useLoaded } from './parts.tsx';

/** Bytes that are looked at at once, as text and as numbers. */
const TEXT_BYTES = 2 ** 16;
const HEX_BYTES = 2 ** 12;

type Way = 'text' | 'json' | 'image' | 'hex';

interface PreviewProps {
  /** What is asked for, and of what. */
  readonly name: string;
  readonly args: object;
  readonly version: number;
}

/** A look at bytes that tenants have written: as text, as a picture or as numbers, and never as a document. */
export function Preview({ name, args, version }: PreviewProps): JSX.Element {
  const [chosen, setChosen] = useState<Way | null>(null);
  const [offset, setOffset] = useState(0);
  const length = chosen === 'hex' ? HEX_BYTES : TEXT_BYTES;
  const { value, error } = useLoaded(() => part(name, args, offset, length), JSON.stringify([args, offset, length]), version);
  if (error !== '') return <Problem>{error}</Problem>;
  if (value === null) return <p class="empty">…</p>;
  const ways = waysOf(value, offset);
  const way = chosen !== null && ways.includes(chosen) ? chosen : (ways[0] ?? 'hex');
  const step = way === 'hex' ? HEX_BYTES : TEXT_BYTES;
  const choose = (next: Way): void => {
    setChosen(next);
    setOffset(0);
  };
  return (
    <>
      <div class="tools ways" role="group" aria-label="Show as">
        {ways.map((each) => <button key={each} type="button" aria-pressed={each === way} onClick={() => choose(each)}>{each === 'json' ? 'JSON' : each}</button>)}
        <span class="space" />
        <span class="muted number">{bytes(value.size)}</span>
      </div>
      <div class="content" tabIndex={0} role="region" aria-label="Content">
        <Content way={way} shown={value} offset={offset} address={addressOf(name, { ...args, as: 'image', version })} />
      </div>
      {way !== 'image' && value.size > step && (
        <div class="tools">
          <button type="button" disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - step))}>Before</button>
          <span class="muted number">{count(offset)} to {count(Math.min(value.size, offset + step))} of {count(value.size)} bytes</span>
          <button type="button" disabled={offset + step >= value.size} onClick={() => setOffset(offset + step)}>After</button>
        </div>
      )}
    </>
  );
}

/** As what it can be shown, the best first. */
function waysOf({ bytes: head, size }: Part, offset: number): Way[] {
  if (offset === 0 && imageType(head) !== null) return ['image', 'hex'];
  const text = textOf(head, head.length < size);
  if (text === null) return ['hex', 'text'];
  return head.length === size && jsonOf(text) !== null ? ['json', 'text', 'hex'] : ['text', 'hex'];
}

/** Null: it is no text. What is cut amid a character still is. */
function textOf(head: Uint8Array, isCut: boolean): string | null {
  if (head.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: isCut });
  } catch {
    return null;
  }
}

function jsonOf(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? JSON.stringify(value, null, 2) : null;
  } catch {
    return null;
  }
}

interface ContentProps {
  readonly way: Way;
  readonly shown: Part;
  readonly offset: number;
  readonly address: string;
}

function Content({ way, shown, offset, address }: ContentProps): JSX.Element {
  const [failed, setFailed] = useState(false);
  if (way === 'image') return failed ? <p class="empty">The picture cannot be shown.</p> : <img class="picture" src={address} alt="The picture in the file" onError={() => setFailed(true)} />;
  if (way === 'hex') return <pre class="mono">{hexOf(shown.bytes.subarray(0, HEX_BYTES), offset)}</pre>;
  const text = textOf(shown.bytes, true) ?? new TextDecoder().decode(shown.bytes);
  return <pre class="mono wrap">{way === 'json' ? (jsonOf(text) ?? text) : text}</pre>;
}

const LINE = 16;

function hexOf(shown: Uint8Array, offset: number): string {
  const lines: string[] = [];
  for (let at = 0; at < shown.length; at += LINE) {
    const line = [...shown.subarray(at, at + LINE)];
    const hex = line.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = line.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·')).join('');
    lines.push(`${(offset + at).toString(16).padStart(8, '0')}  ${hex.padEnd(LINE * 3 - 1)}  ${text}`);
  }
  return lines.join('\n') || 'It is empty.';
}
