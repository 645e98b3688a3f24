import { describe, expect, it } from 'vitest';
import { type CborValue, decodeCbor, encodeCbor, Float } from '../../src/codec/cbor.js';
import { masked } from '../../src/protocol-log/mask.js';

const SECRET = Uint8Array.of(0xde, 0xad, 0xbe, 0xef);
const HIDDEN = '[masked, 4 bytes]';
const map = (...pairs: readonly (readonly [number | string, CborValue])[]): CborValue => new Map(pairs);

describe('secrets in the protocol log', () => {
  it.each([
    ['the proof of PASE_Y', map([1, 'pase_y'], [2, 'Y'], [3, SECRET]), map([1, 'pase_y'], [2, 'Y'], [3, HIDDEN])],
    ['the proof of PASE_VERIFY', map([1, 'pase_verify'], [2, SECRET]), map([1, 'pase_verify'], [2, HIDDEN])],
    ['an admin token in CERT_INSTALL', map([1, 'cert_install'], [6, SECRET]), map([1, 'cert_install'], [6, HIDDEN])],
    ['an admin token that an owner issues', map([1, 'admin_rsp'], [2, SECRET]), map([1, 'admin_rsp'], [2, HIDDEN])],
    ['the MAC of message 3', map([1, 3], [2, SECRET]), map([1, 3], [2, HIDDEN])],
    ['the MAC of message 4', map([1, 4], [2, SECRET], [3, 0]), map([1, 4], [2, HIDDEN], [3, 0])],
  ])('%s', (_what, message, shown) => {
    expect(masked(message, 'commissioning')).toEqual(shown);
  });

  it('an enable key at any depth of an operational message, whatever stands beside it', () => {
    const invoke = map(
      [1, 7],
      [2, 4],
      [3, 0],
      [4, 10],
      [5, map([1, 1], [2, map(['enableKey', 'abcd'], ['eventTrigger', 3], ['x', [new Float(1.5)]])])],
    );
    const shown = masked(invoke, 'operational');
    expect(shown).toEqual(
      map([1, 7], [2, 4], [3, 0], [4, 10], [5, map([1, 1], [2, map(['enableKey', HIDDEN], ['eventTrigger', 3], ['x', ['1.5']])])]),
    );
    expect(decodeCbor(encodeCbor(shown))).toEqual(shown);
  });

  it('protocol.md §3: an enable key by position, of every command of TestControl', () => {
    const invoke = (feature: number, key: CborValue): CborValue =>
      map([1, 7], [2, 4], [3, 0], [4, feature], [5, map([1, 1], [2, map([1, key], [2, 3])])]);
    expect(masked(invoke(10, 'abcd'), 'operational')).toEqual(invoke(10, HIDDEN));
    expect(masked(invoke(10, 4711), 'operational')).toEqual(invoke(10, '[masked]'));
    const limit = invoke(5, 4711);
    expect(masked(limit, 'operational')).toBe(limit);
  });

  it('a message without any is the same object', () => {
    const read = map([1, 7], [2, 1], [3, 0], [4, 1], [5, [1, 2, new Float(1.5)]]);
    expect(masked(read, 'operational')).toBe(read);
    const confirm = map([1, 'pase_confirm'], [2, 1], [3, 'wrong setup code']);
    expect(masked(confirm, 'commissioning')).toBe(confirm);
  });

  it('the same numbers on an operational connection are no proofs', () => {
    const response = map([1, 3], [2, 0], [3, SECRET]);
    expect(masked(response, 'operational')).toBe(response);
  });
});
