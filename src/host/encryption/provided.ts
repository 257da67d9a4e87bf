// The door 'holdfast/encryption'. Nobody needs to import it but programs that are bundled.
import * as code from './code.ts';
import { encryptionPart } from './provide.ts';

encryptionPart.provide(code);

export type { EncryptionKey, EncryptionOptions, KeyManagement } from './options.ts';
