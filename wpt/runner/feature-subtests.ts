/** Subtests that pass without any implementation, and should: those about the IDL files of the checkout themselves. */
const aboutText = [
  /^idl_test (setup|validation)$/,
  /^Partial (interface|interface mixin|dictionary|namespace) .+: (original .+ defined|member names are unique|valid exposure set)$/,
  /^.+ includes .+: member names are unique$/,
];

/** What is as well where there is nothing: that something is not there, that nothing is nothing, or that a test's own name is not defined. */
const aboutNothing = [
  /^"IDB(FileHandle|FileRequest|MutableFile)" should not be supported$/,
  /^indexedDB is \[SameObject\]$/,
  /^IDBKeyRange\.bound\(noExistingVariable, /,
];

/** In a window this subtest says that the interface must not be there. */
const wantsAbsence = { realm: 'window', subtest: 'FileSystemSyncAccessHandle interface: existence and properties of interface object' };

/** Whether a subtest asks for a feature; with Holdfast absent none of those may pass. */
export function isFeatureSubtest(realm: 'window' | 'worker', subtest: string): boolean {
  if (realm === wantsAbsence.realm && subtest === wantsAbsence.subtest) return false;
  return ![...aboutText, ...aboutNothing].some((pattern) => pattern.test(subtest));
}
