import type { JSX } from 'preact';
import type { Locks } from '../messages.ts';
import { call } from './api.ts';
import type { PanelProps } from './app.tsx';
import { moment, span } from './format.ts';
import { Problem, Table, Text, useLoaded } from './parts.tsx';

/** Who holds what, and who waits for it. */
export function LocksPanel({ origin, versions }: PanelProps): JSX.Element {
  const { value, error } = useLoaded(() => call<Locks>('locks', { origin }), origin, versions.locks);
  if (error !== '') return <Problem>{error}</Problem>;
  if (value === null) return <p class="empty">…</p>;
  return (
    <div class="scroll">
      <section class="card">
        <h3>Locks</h3>
        <Table
          label="Locks"
          columns={['state', 'kind', 'name', 'mode', 'bucket', '#process', '#thread', 'life', 'asked for']}
          rows={value.locks.map(({ state, kind, name, mode, bucket, process, thread, life, since }) => [
            <span key={0} class={`badge ${state}`}>{state}</span>, kind, <Text key={1}>{name}</Text>, mode, <Text key={2}>{bucket}</Text>, process, thread, <Life key={3} life={life} />, <Since key={4} since={since} />,
          ])}
          empty="No lock is held or waited for."
        />
      </section>
      <section class="card">
        <h3>Sessions</h3>
        <Table
          label="Sessions"
          columns={['bucket', '#process', '#thread', 'life', 'there since']}
          rows={value.sessions.map(({ bucket, process, thread, life, since }) => [<Text key={0}>{bucket}</Text>, process, thread, <Life key={1} life={life} />, <Since key={2} since={since} />])}
          empty="No process takes part in the origin's locks."
        />
        <p class="muted small">What a process that has ended held is free as soon as somebody wants it.</p>
      </section>
    </div>
  );
}

function Life({ life }: { readonly life: string }): JSX.Element {
  return <span class={life === 'alive' ? '' : 'muted'}>{life}</span>;
}

function Since({ since }: { readonly since: number | null }): JSX.Element {
  return since === null ? <>–</> : <span title={moment(since)}>{moment(since).slice(11)} <span class="muted">{span(Date.now() - since)}</span></span>;
}
