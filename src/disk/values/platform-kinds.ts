/** The interfaces of platform objects in written values; docs/FORMAT.md, "Values". Never changed. */
export const platformKinds = { blob: 1, file: 2, handle: 3 } as const;
