import { readFileSync } from 'node:fs';

/** 5353 as /proc/net/udp writes it. */
const PORT = ':14E9';

/**
 * True where no socket of this machine has UDP port 5353 at an address of its own yet (RFC 6762 §15.1: a unicast packet reaches only one of several).
 * One at every address, as other responders have it, gets what nobody has an address for, and one at the group gets no unicast packet. False where that
 * cannot be told. `read` gives the table of one family.
 */
export function mdnsPortIsFree(read: (path: string) => string = (path) => readFileSync(path, 'latin1')): boolean {
  try {
    return ['/proc/net/udp', '/proc/net/udp6'].every((path) => {
      const sockets = read(path).split('\n').slice(1);
      return sockets.every((socket) => {
        const local = socket.trim().split(/\s+/)[1] ?? '';
        return !local.endsWith(PORT) || !isHostAddress(local.slice(0, -PORT.length));
      });
    });
  } catch {
    return false;
  }
}

/** Neither every address nor a group; the kernel writes each 32 bits with the last byte first. */
function isHostAddress(hex: string): boolean {
  const isGroup = hex.length === 8 ? hex[6] === 'E' : hex.slice(6, 8) === 'FF';
  return !isGroup && /[^0]/.test(hex);
}
