import upstream from '../upstream.json' with { type: 'json' };

/** The one place that pins the tests: the commit, the folders, and where they can come from. */
export const { commit, repository, folders, debian } = upstream;

/** SHA-256 of files that decide every result: the proof for a copy that carries no commit. */
export const proof: Readonly<Record<string, string>> = upstream.proof;
