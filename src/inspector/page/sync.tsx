import type { JSX } from 'preact';
import type { Sync } from '../messages.ts';
import { addressOf, call } from './api.ts';
import type { PanelProps } from './app.tsx';
import { bytes, count, moment, span } from './format.ts';
import { CutText, Problem, Table, Text, useLoaded } from './parts.tsx';

/** How an origin stands to its hub. */
export function SyncPanel({ origin, versions, readOnly, go }: PanelProps): JSX.Element {
  const { value, error } = useLoaded(() => call<Sync>('sync', { origin }), origin, versions.sync);
  if (error !== '') return <Problem>{error}</Problem>;
  if (value === null) return <p class="empty">…</p>;
  const { areas, rejections, conflicts } = value;
  return (
    <div class="scroll">
      {areas.filter(({ problem }) => problem !== '').map(({ area, problem }) => <Problem key={area}>{area}: {problem}</Problem>)}
      <section class="card">
        <h3>In the hub's order</h3>
        <Table
          label="Areas"
          columns={['area', 'region', 'state', '#position', '#behind', '#lag', '#pending', '#rejected', 'hub']}
          rows={areas.map(({ area, region, connected, position, head, time, pending, pendingBytes, rejected, hub }) => [
            area,
            <Text key={0}>{region}</Text>,
            <span key={1} class={`badge ${connected ? 'held' : 'waiting'}`}>{connected ? 'connected' : 'away'}</span>,
            count(position),
            count(head - position),
            connected && head <= position ? '0 s' : time === 0 ? 'never there' : span(Date.now() - time),
            pending === 0 ? '0' : `${count(pending)} (${bytes(pendingBytes)})`,
            count(rejected),
            <Text key={2}>{hub}</Text>,
          ])}
          empty="Nothing of the origin follows a hub."
        />
      </section>
      <section class="card">
        <h3>Rejected writes</h3>
        <Table
          label="Rejections"
          columns={['area', '#number', 'reason', '#position', 'key', 'was to become', 'is now', '']}
          rows={rejections.map(({ area, serial, reason, position, key, refused, present }) => [
            area,
            serial,
            reason,
            count(position),
            key === null ? '–' : <Text key={0}>{key}</Text>,
            refused === null ? '–' : <CutText key={1} cut={refused} />,
            present === null ? '–' : <CutText key={2} cut={present} />,
            readOnly ? '' : <button key={3} type="button" onClick={() => void call('acknowledge', { origin, area, serial })}>Acknowledge</button>,
          ])}
          empty="The order has refused nothing that nobody knows of."
        />
      </section>
      <section class="card">
        <h3>Conflicts of files</h3>
        <Table
          label="Conflicts"
          columns={['#number', 'file', 'has its place', 'lost its place', '#size', 'written', '']}
          rows={conflicts.map(({ serial, path, winner, lost, canRead }) => [
            serial,
            <Text key={0}>{`/${path.join('/')}`}</Text>,
            winner === null ? 'a directory' : <button key={1} type="button" class="link" onClick={() => go({ tab: 'files', bucket: 'default', path: path.slice(0, -1) })}>the one of <Text>{winner.region}</Text></button>,
            <>the one of <Text key={2}>{lost.region}</Text></>,
            bytes(lost.size ?? 0),
            moment(lost.modified),
            canRead ? <a key={3} href={addressOf('conflict', { origin, serial })} download>Save the lost one</a> : <span key={3} class="muted" title="holdfast inspect --hub URL, or a program whose host has the option sync, can read it.">at the hub</span>,
          ])}
          empty="No version of a file has lost its place unseen."
        />
      </section>
    </div>
  );
}
