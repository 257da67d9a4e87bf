/** What stands for `src/runtime/random.ts` in a simulated world. */
import { schedule } from './schedule.ts';

export const randomInteger = (): number => 1 + Math.floor(schedule.random() * 2 ** 52);
export const randomUuid = (): string => `uuid-${randomInteger().toString(16)}`;
export const randomBytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => Math.floor(schedule.random() * 256));
