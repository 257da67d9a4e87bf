/** What fake-indexeddb publishes of one test file. A subtest that is not listed passes there. */
export interface PublishedFile {
  /** It is not run. */
  readonly isSkipped: boolean;
  /** Subtests that fail there, or pass now and then. */
  readonly notPassing: ReadonlySet<string>;
}

export const allPasses: PublishedFile = { isSkipped: false, notPassing: new Set() };

/** Reads one of its manifests: the little of TOML that they are written in. */
export function readManifest(text: string): PublishedFile {
  const notPassing = new Set<string>();
  let subtest: string | null = null;
  let isSkipped = false;
  for (const line of text.split('\n').map((each) => each.trim())) {
    const name = /^\[(.+)\]$/.exec(line)?.[1];
    if (name !== undefined) subtest = nameOf(name);
    else if (line === 'skip = true') isSkipped = true;
    else if (/^expectation = "(FAIL|UNSTABLE)"$/.test(line) && subtest !== null) notPassing.add(subtest);
    else if (line !== '' && !line.startsWith('#') && !/^expectTimeout = (true|false|"UNSTABLE")$/.test(line)) throw new Error(`What does a manifest mean by '${line}'?`);
  }
  return { isSkipped, notPassing };
}

/** A key of TOML: a basic string, which is one of JSON; a literal one; or bare. */
function nameOf(key: string): string {
  if (key.startsWith('"')) return JSON.parse(key) as string;
  return key.startsWith("'") ? key.slice(1, -1) : key;
}
