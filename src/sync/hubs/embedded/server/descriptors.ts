import fs from 'node:fs';
import process from 'node:process';
import { systemCode } from '../../../../disk/journal/disk-error.ts';

/** Where it cannot be seen, what most systems give a process at least. */
const ASSUMED = 256;

/** How many files and connections this process may have open at once. */
export function descriptorLimit(): number {
  try {
    const [, soft = ''] = /^Max open files\s+(\S+)/m.exec(fs.readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft) || ASSUMED;
  } catch {
    return reportedLimit();
  }
}

/** Of the runtime's report, which takes some milliseconds; not every runtime makes one. */
function reportedLimit(): number {
  try {
    const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
    const soft = userLimits?.open_files?.soft;
    return soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft) || ASSUMED;
  } catch {
    return ASSUMED;
  }
}

/** How many this process has open; null where that cannot be seen. */
export function openDescriptors(): number | null {
  try {
    return fs.readdirSync('/proc/self/fd').length;
  } catch {
    return null;
  }
}

/** Whether something failed, or what caused it did, because this process or the machine has too many files open. */
export function isOutOfDescriptors(error: unknown): boolean {
  for (let each = error; typeof each === 'object' && each !== null; each = (each as { cause?: unknown }).cause) {
    if (['EMFILE', 'ENFILE'].includes(systemCode(each))) return true;
  }
  return false;
}

/** How a hub divides its descriptors among what needs them; the rest is for the runtime and for files that are moved. */
export function shareOf(limit: number): { readonly connections: number; readonly logs: number; readonly files: number } {
  return { connections: Math.floor(limit / 2), logs: Math.max(1, Math.floor(limit / 8)), files: Math.max(1, Math.floor(limit / 16)) };
}
