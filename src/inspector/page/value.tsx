import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Shown } from '../messages.ts';
import { count } from './format.ts';
import { Text } from './parts.tsx';

/** A value in one line. */
export function Line({ value }: { readonly value: Shown }): JSX.Element {
  return <Text>{lineOf(value, 3)}</Text>;
}

/** The beginning of its parts, to a level. */
function lineOf({ type, text, parts, more }: Shown, levels: number): string {
  if (parts === undefined || levels === 0) return text;
  const shown = parts.slice(0, 12).map(({ name, value }) => (type === 'Array' || type === 'Set' ? lineOf(value, levels - 1) : `${name}${type === 'Map' ? ' ' : ': '}${lineOf(value, levels - 1)}`));
  const rest = parts.length > 12 || more !== undefined ? ', …' : '';
  const inside = `${shown.join(', ')}${rest}`;
  if (type === 'Array') return `[${inside}]`;
  if (type === 'Object') return `{ ${inside} }`.replace('{  }', '{}');
  return `${text} { ${inside} }`;
}

/** A value as a tree, of which the first levels are open. */
export function Tree({ value, name, level = 0 }: { readonly value: Shown; readonly name?: string; readonly level?: number }): JSX.Element {
  const [open, setOpen] = useState(level < 2);
  const { type, text, parts, more } = value;
  const label = name === undefined ? null : <span class="part"><Text>{name}</Text>{name.endsWith('→') ? ' ' : ': '}</span>;
  if (parts === undefined || (parts.length === 0 && more === undefined)) return <div class="leaf">{label}<span class={`value ${type}`}><Text>{text}</Text></span></div>;
  return (
    <div class="branch">
      <button type="button" class="twist" aria-expanded={open} onClick={() => setOpen(!open)}>{label}<span class="muted">{text}</span></button>
      {open && (
        <div class="inside">
          {parts.map((part, index) => <Tree key={index} name={part.name} value={part.value} level={level + 1} />)}
          {more !== undefined && <div class="muted leaf">{count(more)} more</div>}
        </div>
      )}
    </div>
  );
}
