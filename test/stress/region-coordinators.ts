import { failureOf } from '../coordinator/region-simulation.ts';

export interface RegionSoak {
  readonly from: number;
  readonly count: number;
  readonly onFailure: (failure: string) => void;
  readonly onProgress: (seeds: number, failures: number) => void;
}

/** Plays the worlds of coordinators in regions, one seed after another; how many of them had something wrong. */
export function soak({ from, count, onFailure, onProgress }: RegionSoak): number {
  let failures = 0;
  for (let done = 1; done <= count; done++) {
    const failure = failureOf(from + done - 1);
    if (failure !== null) {
      failures += 1;
      onFailure(failure);
    }
    onProgress(done, failures);
  }
  return failures;
}
