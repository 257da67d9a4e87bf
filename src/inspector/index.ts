// The door holdfast/inspector.
import '../file-system/loaded.ts';

export { inspector } from './inspector.ts';
export type { InspectorOptions } from './inspector.ts';
