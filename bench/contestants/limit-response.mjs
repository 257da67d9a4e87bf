// Bare files that take and give Responses, as a program without a cache would write it. No index, no headers, no Vary.
import fsp from 'node:fs/promises';
import { join } from 'node:path';

export function open(root) {
  const at = (url) => join(root, encodeURIComponent(url));
  const cache = {
    async put(url, response) {
      const file = await fsp.open(join(root, 'swap'), 'w');
      await file.write(new Uint8Array(await response.arrayBuffer()));
      await file.close();
      await fsp.rename(join(root, 'swap'), at(url));
    },
    match: (url) =>
      fsp.readFile(at(url)).then(
        (bytes) => new Response(bytes),
        () => undefined,
      ),
  };
  return { caches: { open: async () => cache } };
}
