import fs from 'node:fs';
export interface DiskFileSource { readonly path: string; readonly name: string; readonly state: Pick<fs.Stats, 'size' | 'mtimeMs' | 'ino' | 'dev'> }
export function fileFromDisk({ path, name, state }: DiskFileSource): File {
  return new File([fs.readFileSync(path)], name, { lastModified: Math.floor(state.mtimeMs) });
}
