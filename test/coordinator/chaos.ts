/** Calls under kills, pauses and closes, and whether what came of them is what one coordinator, one call at a time, gives. */
import { once } from 'node:events';
import { mulberry32 } from '../support/mulberry32.ts';
import { type Operation, unorderable } from './linearizable.ts';
import type { Deployment } from './servers.ts';
import { kill } from './servers.ts';

export interface Tally {
  calls: number;
  /** Calls of which nobody could say what became. */
  unknown: number;
  kills: number;
  pauses: number;
  closes: number;
  readonly violations: string[];
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Plays for so many milliseconds with so many callers on three registers and a counter. */
export async function chaos(deployment: Deployment, { milliseconds, callers, seed }: { milliseconds: number; callers: number; seed: number }): Promise<Tally> {
  const random = mulberry32(seed);
  const tally: Tally = { calls: 0, unknown: 0, kills: 0, pauses: 0, closes: 0, violations: [] };
  const histories = new Map<string, Operation[]>();
  const end = Date.now() + milliseconds;
  let counted = 0;
  let doubtful = 0;
  let value = 0;

  const note = async (name: string, kind: Operation['kind'], written: number, call: () => Promise<number | void>): Promise<void> => {
    const operation: Operation = { kind, written, began: performance.now(), ended: Infinity, result: null };
    const history = histories.get(name) ?? [];
    histories.set(name, history);
    history.push(operation);
    tally.calls += 1;
    try {
      operation.result = Number((await call()) ?? 0);
      operation.ended = performance.now();
    } catch (error) {
      const { outcome } = error as { outcome?: string };
      if (outcome === 'not-run') history.splice(history.indexOf(operation), 1);
      else if (outcome === 'unknown' || outcome === 'partial') tally.unknown += 1;
      else tally.violations.push(`a call failed otherwise: ${String(error)}`);
    }
  };

  const caller = async (): Promise<void> => {
    while (Date.now() < end) {
      const name = `r${Math.floor(random() * 3)}`;
      const stub = deployment.stub(name);
      const dice = random();
      if (dice < 0.2) await note(name, 'read', 0, () => stub.read());
      else if (dice < 0.4) await note(name, 'write', (value += 1000), ((written) => () => stub.write(written))(value));
      else if (dice < 0.5) await note(name, 'increment', 0, () => stub.slowIncrement());
      else if (dice < 0.8) await note(name, 'increment', 0, () => stub.increment());
      else {
        tally.calls += 1;
        try {
          await deployment.stub('counter').counted();
          counted += 1;
        } catch (error) {
          if ((error as { outcome?: string }).outcome !== 'not-run') doubtful += 1;
        }
      }
    }
  };

  const disturb = async (): Promise<void> => {
    while (Date.now() < end) {
      await later(100 + random() * 400);
      const { servers } = deployment;
      const victim = servers[Math.floor(random() * servers.length)];
      if (victim === undefined) continue;
      const dice = random();
      if (dice < 0.4) {
        victim.kill('SIGSTOP');
        tally.pauses += 1;
        void later(300 + random() * 500).then(() => victim.kill('SIGCONT'));
        continue;
      }
      servers.splice(servers.indexOf(victim), 1);
      if (dice < 0.8) {
        tally.kills += 1;
        await kill(victim);
      } else {
        tally.closes += 1;
        victim.kill('SIGCONT');
        victim.kill('SIGTERM');
        void once(victim, 'exit');
      }
      await deployment.add();
    }
  };

  await Promise.all([disturb(), ...Array.from({ length: callers }, caller)]);
  for (const [name, history] of histories) {
    const stuck = unorderable(history);
    if (stuck !== null) tally.violations.push(`${name} has no order: ${JSON.stringify(stuck)}`);
  }
  const runs = Object.values(await deployment.stub('counter').runs());
  const total = await deployment.stub('counter').read();
  if (runs.some((count) => count !== 1)) tally.violations.push('a call was run twice');
  tally.unknown += doubtful;
  if (runs.length !== total || total < counted || total > counted + doubtful) tally.violations.push(`${counted} calls were answered, ${runs.length} ran, the count is ${total}`);
  return tally;
}
