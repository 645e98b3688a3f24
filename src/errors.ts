/** Errors say whose fault it is. A peer can cause only `PeerError`; it ends its own request or connection and nothing else. */

/** The configuration, a command line or a board file is wrong. `where` names the key, option or field. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly where: string;
  constructor(where: string, message: string) {
    super(`${where}: ${message}`);
    this.where = where;
  }
}

/** A peer sent what it must not. `status` is the protocol's code for it, where there is one. */
export class PeerError extends Error {
  override readonly name = 'PeerError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The network refuses: a port in use, no interface, an address that cannot be reached. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
}

/** The medium refuses: full, locked by another process, worn out, unreadable. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: 'full' | 'locked' | 'io' | 'closed';
  constructor(code: 'full' | 'locked' | 'io' | 'closed', message: string) {
    super(message);
    this.code = code;
  }
}
