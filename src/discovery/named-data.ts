import { PeerError } from '../errors.js';
import { readName, writeName } from './name.js';

/** Types of RFC 6762 §18.14 that are not read: bytes before the first name in their data, and how many names follow. */
const NAMED: ReadonlyMap<number, readonly [before: number, names: number]> = new Map([
  [2, [0, 1]], // NS
  [5, [0, 1]], // CNAME
  [6, [0, 2]], // SOA
  [15, [2, 1]], // MX
  [17, [0, 2]], // RP
  [18, [2, 1]], // AFSDB
  [21, [2, 1]], // RT
  [26, [2, 2]], // PX
  [36, [2, 1]], // KX
  [39, [0, 1]], // DNAME
]);

/** With the names written out, so that it means the same outside of its packet; as it is where it is no data of that type. */
export function wholeData(bytes: Uint8Array, from: number, end: number, code: number): Uint8Array {
  const [before, names] = NAMED.get(code) ?? [0, 0];
  let at = from + before;
  const out = [...bytes.subarray(from, at)];
  try {
    for (let i = 0; i < names; i++) {
      const read = readName(bytes, at);
      writeName(out, read.name, new Map(), false);
      at = read.end;
    }
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    return bytes.slice(from, end);
  }
  return at > end ? bytes.slice(from, end) : Uint8Array.from([...out, ...bytes.subarray(at, end)]);
}
