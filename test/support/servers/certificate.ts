import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { serverFolder, ServerMissing, serverUser } from './server.ts';

/** A certificate for 127.0.0.1 and localhost (which the client of NATS takes for any address without a name) that is its own authority, in files that servers can read. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** The certificate, in PEM. */
  readonly ca: string;
  dispose(): void;
}

/** @throws ServerMissing without the program openssl */
export function makeCertificate(): Certificate {
  const user = serverUser();
  const folder = serverFolder(user);
  const [certFile, keyFile] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-keyout', keyFile, '-out', certFile];
  try {
    execFileSync('openssl', args, { stdio: 'ignore', ...user });
  } catch (cause) {
    throw new ServerMissing('no openssl on this machine to make a certificate', { cause });
  }
  fs.chmodSync(keyFile, 0o600);
  return { certFile, keyFile, ca: fs.readFileSync(certFile, 'utf8'), dispose: () => fs.rmSync(folder, { recursive: true, force: true }) };
}
