import { readFileSync } from 'node:fs';
import { portableCrypto } from '../../src/crypto/portable/crypto.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import type { Crypto } from '../../src/platform.js';
import { SeededEntropy } from '../world/entropy.js';

export const node: Crypto = nodeCrypto();
export const portable: Crypto = portableCrypto(new SeededEntropy(9383));

/** For describe.each: every test of the port runs over both adapters; `other` is the one it is compared with. */
export const ADAPTERS = [
  { name: 'node:crypto', crypto: node, other: portable },
  { name: 'portable', crypto: portable, other: node },
];

/** The adapter with its random bytes replaced by `queue`, one entry a call. */
export function withBytes(crypto: Crypto, ...queue: readonly Uint8Array[]): Crypto {
  const rest = queue.map((bytes) => bytes.slice());
  return {
    ...crypto,
    bytes(length) {
      const next = rest.shift();
      if (next?.length !== length) throw new Error(`no ${length} bytes in the queue`);
      return next;
    },
  };
}

export function readVectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8')) as T;
}

/** 0x01 → 31 zero bytes and 01. */
export function scalarOf(value: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'));
}

export const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
export const FIELD = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
