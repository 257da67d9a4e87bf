import type { JSX } from 'preact';
import type { PanelProps } from './app.tsx';

export function Coordinators(_: PanelProps): JSX.Element {
  return <p class="empty">…</p>;
}
