import type { HubCapabilities, HubLog } from './hub.ts';

/** The way to a hub that origins have. */
export interface Connection {
  /** As `Hub.name`. */
  readonly name: string;
  /** As `Hub.connect`; after a failure the next call tries again. */
  connect(): Promise<HubCapabilities>;
  /** As `Hub.log`. */
  log(name: string): HubLog;
}
