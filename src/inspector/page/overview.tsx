import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call } from './api.ts';
import type { PanelProps } from './app.tsx';
import { bytes, count, moment } from './format.ts';
import { Legend, Table, Text, UsageBar } from './parts.tsx';
import { UsagePlot } from './plot.tsx';
import { atOrigin } from './route.ts';

/** What an origin takes, now and since the inspector looks. */
export function Overview({ origin, info, go, ask, readOnly }: PanelProps): JSX.Element {
  const now = useNow(2000);
  const remove = (): void =>
    ask({
      title: 'Delete the origin',
      text: <>All that <Text>{origin}</Text> has stored, in all its buckets, is deleted: {bytes(info.usage)}. Processes that have it open lose it.</>,
      action: 'Delete',
      danger: true,
      word: origin,
      act: async (again) => {
        await call('delete-origin', { origin, again });
        go(atOrigin(null));
      },
    });
  return (
    <div class="scroll">
      <section class="card">
        <h3>Usage</h3>
        <UsageBar usage={info.usageDetails} whole={info.usage} />
        <Legend usage={info.usageDetails} />
      </section>
      <section class="card">
        <h3>Over time</h3>
        <UsagePlot samples={info.history} now={now} />
        <p class="muted small">Since the inspector looked at it first.</p>
      </section>
      <section class="card">
        <h3>Buckets</h3>
        <Table
          label="Buckets"
          columns={['name', '#bytes', '#items', '#quota', 'persisted', 'durability', 'expires', 'last change']}
          rows={info.buckets.map((bucket) => [
            <button key={0} type="button" class="link" onClick={() => go({ tab: 'files', bucket: bucket.name, path: [] })}><Text>{bucket.name}</Text></button>,
            bytes(bucket.usage),
            count(bucket.items),
            bucket.quota === null ? '–' : bytes(bucket.quota),
            bucket.persisted === null ? '–' : bucket.persisted ? 'yes' : 'no',
            bucket.durability ?? '–',
            moment(bucket.expires),
            moment(bucket.lastChange),
          ])}
          empty="There is none."
        />
      </section>
      {!readOnly && (
        <section class="card">
          <h3>Delete</h3>
          <p class="muted">Everything that the origin has stored.</p>
          <button type="button" class="danger" onClick={remove}>Delete the origin…</button>
        </section>
      )}
    </div>
  );
}

function useNow(every: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
