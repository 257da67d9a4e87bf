/** Ends a test that the engine gives no occasion for. */
export class NotRun extends Error {}

/** Ends the test as not run. */
export function notRun(reason: string): never {
  throw new NotRun(reason);
}
