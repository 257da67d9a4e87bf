import type { SuiteRecord } from '../record/record.ts';

export const record: SuiteRecord = {};
