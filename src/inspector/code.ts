// What the command loads when it is to inspect.
export { guarded } from './guard.ts';
export { inspector } from './inspector.ts';
export { serve } from './serve.ts';
