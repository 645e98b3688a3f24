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

/** For messages that name the closest right word: the candidate with the fewest changed characters, any case; undefined without candidates. */
export function closest(text: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = editDistance(text.toLowerCase(), candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Levenshtein. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
