// The door holdfast/coordinator.
import '../transaction/provided.ts';

export { Coordinator } from './coordinator.ts';
export { Coordinators } from './coordinators.ts';
export type { CoordinatorClass, CoordinatorProblem, CoordinatorsOptions } from './coordinators.ts';
export type { CoordinatorRegions } from './regions.ts';
export { testCoordinators } from './test-coordinators.ts';
export type { TestCoordinators } from './test-coordinators.ts';
export { CoordinatorError } from '../../coordinator/errors.ts';
export type { Outcome } from '../../coordinator/errors.ts';
export type { Stub } from '../../coordinator/stub.ts';
export type { CoordinatorListing, CoordinatorState } from './types.ts';
