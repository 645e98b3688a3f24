import { appendFileSync } from 'node:fs';
import { ConfigError } from '../errors.js';
import type { Log } from '../platform.js';

/**
 * An NSS key log (`SSLKEYLOGFILE`), one line a secret, readable by its owner alone. Said loudly, since whoever has the file reads every recorded
 * connection. Throws ConfigError where the file cannot be made; a disk that refuses later ends the key log alone.
 */
export function openKeyLog(path: string, log: Log): (line: Uint8Array) => void {
  try {
    appendFileSync(path, '', { mode: 0o600 });
  } catch (error) {
    throw new ConfigError('--tls-key-log', (error as Error).message);
  }
  log.warn('TLS KEYS ARE WRITTEN DOWN: whoever reads this file reads every connection of this device', { path });
  let open = true;
  return (line) => {
    if (!open) return;
    try {
      appendFileSync(path, line);
    } catch (error) {
      open = false;
      log.error('the TLS key log ends here', { path, reason: (error as Error).message });
    }
  };
}
