/* What the head of a file of keys says without any key: docs/FORMAT.md, "Keys". Apart from all that encrypts. */

/** Its first bytes, in Latin-1. */
export const IDENTIFIER = 'HFKEYRNG';

/** Where its flags are: four bytes. */
export const FLAGS = 16;

/** What has wrapped the keys is in a store; its names there are in the place of what a KMS has wrapped. */
export const STORED = 4;
