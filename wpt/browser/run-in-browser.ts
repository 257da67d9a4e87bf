import type { RunRequest } from '../runner/run-and-check.ts';
export async function runInBrowser(_request: RunRequest): Promise<boolean> { return false; }
