import type { Model } from '../../disk/replica/model.ts';
import type { Operation } from '../../disk/replica/operation.ts';
import type { References } from '../replicator/collector.ts';
import { FilesModel } from './files-model.ts';
import { chunksOf } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { manifestsOf } from './prepare.ts';

function* namesIn(manifests: Iterable<Manifest>): Generator<string> {
  for (const manifest of manifests) for (const { name } of chunksOf(manifest)) yield name;
}

/** Of the files that there are, and of the versions that have lost their place and can still be read. */
function* manifestsIn(model: FilesModel): Generator<Manifest> {
  for (const [, entry] of model.entries()) if (entry.kind === 'file') yield entry.manifest;
  for (const { lost } of model.conflicts.items) yield lost.manifest;
}

/** Which chunks the order of files names. */
export const fileReferences: References = {
  ofModel(model: Model): Iterable<string> {
    if (!(model instanceof FilesModel)) throw new TypeError('These are the references of files.');
    return namesIn(manifestsIn(model));
  },
  ofOperation: (operation: Operation): Iterable<string> => namesIn(manifestsOf(operation)),
};
