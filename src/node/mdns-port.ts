import { readFileSync } from 'node:fs';

/** 5353 as /proc/net/udp writes it. */
const PORT = ':14E9';

/**
 * True where no process of this machine has UDP port 5353 yet (RFC 6762 §15.1: a unicast answer reaches only one of several). False where that
 * cannot be told. `read` gives the table of one family.
 */
export function mdnsPortIsFree(read: (path: string) => string = (path) => readFileSync(path, 'latin1')): boolean {
  try {
    return ['/proc/net/udp', '/proc/net/udp6'].every((path) => {
      const sockets = read(path).split('\n').slice(1);
      return sockets.every((socket) => socket.trim().split(/\s+/)[1]?.endsWith(PORT) !== true);
    });
  } catch {
    return false;
  }
}
