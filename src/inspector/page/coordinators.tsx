import type { JSX } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { CoordinatorRow, Coordinators as Found } from '../messages.ts';
import { call } from './api.ts';
import type { PanelProps } from './app.tsx';
import { bytes, count, moment, span } from './format.ts';
import { List } from './list.tsx';
import { Problem, Search, Text, useSettled } from './parts.tsx';

/** How often it is asked what coordinators do, which nothing on the disk tells, in milliseconds. */
const EVERY_MS = 1500;

/** Coordinators: who has each, what waits for it, when it wakes. */
export function Coordinators({ origin, versions }: PanelProps): JSX.Element {
  const [typed, setTyped] = useState('');
  const [turn, setTurn] = useState(0);
  const search = useSettled(typed);
  useEffect(() => {
    const timer = setInterval(() => setTurn((before) => before + 1), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const [problem, setProblem] = useState('');
  const load = useCallback(
    async (offset: number, limit: number) => {
      const found = await call<Found>('coordinators', { origin, offset, limit, search });
      setProblem(found.problem);
      return found;
    },
    [origin, search],
  );
  return (
    <div class="fill">
      <div class="tools"><Search label="Search coordinators" value={typed} onInput={setTyped} /></div>
      {problem !== '' && <Problem>Those that the hub keeps are not shown: {problem}</Problem>}
      <List<CoordinatorRow>
        label="coordinators"
        class="many"
        rowHeight={30}
        query={`${origin} ${search}`}
        version={versions.coordinators * 1e6 + turn}
        load={load}
        keyOf={({ className, name }) => JSON.stringify([className, name])}
        head={<><span>class</span><span>name</span><span>runs in</span><span class="number">running</span><span class="number">waiting</span><span>alarm</span><span class="number">items</span><span class="number">bytes</span></>}
        empty={search === '' ? 'There is no coordinator.' : 'None has this in its class or name.'}
        render={(row) => <Row row={row} />}
      />
      <p class="hint">Running and waiting: calls, as whoever runs the coordinator says. A coordinator that nobody runs is made by its next call.</p>
    </div>
  );
}

function Row({ row: { className, name, owner, live, alarm, attempt, items, bytes: size } }: { readonly row: CoordinatorRow }): JSX.Element {
  return (
    <>
      <span role="gridcell" class="cell"><Text>{className}</Text></span>
      <span role="gridcell" class="cell"><Text>{name}</Text></span>
      <span role="gridcell" class="cell">{ownerText(owner)}</span>
      <span role="gridcell" class="number">{live === null ? '–' : count(live.running)}</span>
      <span role="gridcell" class="number">{live === null ? '–' : live.waiting > 0 ? <b>{count(live.waiting)}</b> : '0'}</span>
      <span role="gridcell" class="cell">{alarm === null ? '–' : <span title={moment(alarm)}>{alarm > Date.now() ? `in ${span(alarm - Date.now())}` : 'due'}{attempt > 0 ? <span class="error">, failed {count(attempt)}×</span> : ''}</span>}</span>
      <span role="gridcell" class="number">{count(items)}</span>
      <span role="gridcell" class="number">{bytes(size)}</span>
    </>
  );
}

function ownerText(owner: CoordinatorRow['owner']): JSX.Element {
  if (owner === null) return <span class="muted">nobody</span>;
  const { region, process, answers } = owner;
  const where = [region, process === null ? null : `process ${process}`].filter((each) => each !== null).join(', ');
  return answers === false ? <><span class="badge waiting">does not answer</span> {region}</> : <>{where}</>;
}
