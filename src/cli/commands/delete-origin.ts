import { hasOrigin } from '../../disk/maintenance/replace-origin.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { type Command, parse, requireArguments, UsageError } from '../command.ts';
import { printJson } from '../output.ts';
import { encryptionOf, keyOptions } from '../keys-option.ts';
import { jsonOption, openRoot, originOf, rootOptions, withHost } from '../root.ts';

const options = { yes: { help: 'it is enough to name the origin once' }, ...keyOptions, ...jsonOption, ...rootOptions } as const;

export const deleteOrigin: Command = {
  name: 'delete-origin',
  summary: 'delete all that an origin has, in all its buckets',
  usage: 'ORIGIN ORIGIN | ORIGIN --yes',
  options,
  notes: ['Named twice it is meant. Processes that have it open notice: what they have open fails, and what they write then makes it anew.', 'Its key is needed only where that is in a store, which --keys gives: it is deleted there first.'],
  run: async (args) => {
    const { values, positionals } = parse(options, args);
    requireArguments(positionals, values.yes ? ['ORIGIN'] : ['ORIGIN', 'the same ORIGIN once more, or --yes,'], 2);
    const [origin = '', again] = positionals.map(originOf);
    if (again !== undefined && again !== origin) throw new UsageError(`'${origin}' and '${again}' are two origins; name the one that is meant twice`);
    const encryption = await encryptionOf(values);
    const root = openRoot(values);
    if (!hasOrigin(root, origin)) throw new HoldfastError('origin-missing', `The root ${root.path} has nothing of ${origin}.`);
    await withHost(values, (host) => host.deleteOrigin(origin), encryption);
    if (values.json) printJson({ origin, deleted: true });
    else console.log(`${origin} is deleted.`);
    return 0;
  },
};
