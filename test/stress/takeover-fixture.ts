/** A process that serves reminders, makes as many as it is told to, and says which were woken. */
import { Coordinator, Coordinators } from '../../src/host/coordinator/index.ts';
import '../../src/host/transaction/provided.ts';
import { StorageHost } from '../../src/host/storage-host.ts';

export const ORIGIN = 'https://many.example';

/** Coordinators that are called at once. */
const AT_ONCE = 250;

export class Reminder extends Coordinator {
  wake(time: number): void {
    this.localStorage.setItem('n', this.state.name);
    this.state.setAlarm(time);
  }

  named(): [name: string | null, process: number] {
    return [this.localStorage.getItem('n'), process.pid];
  }

  override alarm(): void {
    process.send?.({ woken: this.state.name, at: Date.now() });
  }
}

/** Makes those of these numbers, or has them live again, and sets their alarms. */
async function wakeAll(coordinators: Coordinators, { from, to, time }: { readonly from: number; readonly to: number; readonly time: number }): Promise<void> {
  for (let first = from; first < to; first += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, to - first) }, (_, n) => coordinators.get(ORIGIN, Reminder, `reminder-${first + n}`).wake(time)));
    process.send?.({ made: Math.min(to, first + AT_ONCE) });
  }
  process.send?.({ done: true });
}

const root = process.argv[2];
if (root !== undefined && process.send !== undefined) {
  const coordinators = new Coordinators(new StorageHost({ root }), { Reminder });
  process.on('message', (order) => void wakeAll(coordinators, order as { from: number; to: number; time: number }));
  process.send({ ready: true });
}
