import { readFileSync } from 'node:fs';
import { Decoder, Encoder } from 'cbor-x';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CborError, type CborKey, type CborValue, decodeCbor, encodeCbor, WideInteger } from '../../src/codec/cbor.js';
import { FrameError, FrameReader } from '../../src/codec/frame.js';
import { SeededEntropy } from '../world/entropy.js';
import { fromHex, sameValue, toHex, wide } from './values.js';

const RUNS = { seed: 8949, numRuns: 1500 };

const text = fc.string({ unit: 'binary', maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 300 });
const key = fc.oneof(fc.integer({ min: -300, max: 300 }), fc.maxSafeInteger(), text);
const wideInteger = fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }).chain((value) => fc.constantFrom(wide(value), wide(-1n - value)));

function values(leaf: fc.Arbitrary<CborValue>): fc.Arbitrary<CborValue> {
  return fc.letrec<{ value: CborValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      leaf,
      fc.array(tie('value'), { maxLength: 6 }),
      fc.array(fc.tuple(key, tie('value')), { maxLength: 6 }).map((entries) => new Map<CborKey, CborValue>(entries)),
    ),
  })).value;
}
const anyValue = values(
  fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -70_000, max: 70_000 }), wideInteger, text, bytes, fc.boolean(), fc.constant(null)),
);

describe('any value', () => {
  it('comes back as it was sent', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(sameValue(decodeCbor(encodeCbor(value)), value)).toBe(true);
      }),
      RUNS,
    );
  });

  it('has one encoding, whatever the order in which its maps were filled', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(toHex(encodeCbor(reversed(value)))).toBe(toHex(encodeCbor(value)));
      }),
      RUNS,
    );
  });

  it('sorts its keys by their encoded bytes', () => {
    fc.assert(
      fc.property(fc.uniqueArray(key, { maxLength: 20 }), (keys) => {
        const order = [...(decodeCbor(encodeCbor(new Map(keys.map((each) => [each, null])))) as ReadonlyMap<CborKey, CborValue>).keys()];
        const bytewise = keys.map((each) => toHex(encodeCbor(each))).sort();
        expect(order.map((each) => toHex(encodeCbor(each)))).toEqual(bytewise);
      }),
      RUNS,
    );
  });

  it('is refused when any byte is missing at its end', () => {
    fc.assert(
      fc.property(anyValue, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (value, cut) => {
        const whole = encodeCbor(value);
        expect(() => decodeCbor(whole.subarray(0, Math.floor(cut * whole.length)))).toThrow(CborError);
      }),
      RUNS,
    );
  });
});

describe('cbor-x', () => {
  const options = { useRecords: false, mapsAsObjects: false, variableMapSize: true, tagUint8Array: false };
  const encoder = new Encoder(options);
  const decoder = new Decoder(options);
  // Beyond 32 bits cbor-x writes floating-point numbers.
  const both = values(fc.oneof(fc.integer(), text, bytes, fc.boolean(), fc.constant(null)));

  it('reads what we write', () => {
    fc.assert(
      fc.property(both, (value) => {
        expect(sameValue(plain(decoder.decode(encodeCbor(value))), value)).toBe(true);
      }),
      RUNS,
    );
  });

  it('writes what we read', () => {
    fc.assert(
      fc.property(both, (value) => {
        expect(sameValue(decodeCbor(Uint8Array.from(encoder.encode(withSmallKeys(value)))), withSmallKeys(value))).toBe(true);
      }),
      RUNS,
    );
  });

  it('agrees on 64-bit integers', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n }), (value) => {
        const safe = value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
        const read = decodeCbor(encodeCbor(safe ? Number(value) : wide(value)));
        const integer = read instanceof WideInteger ? (BigInt(read.high) << 32n) | BigInt(read.low) : BigInt(read as number);
        expect(read instanceof WideInteger && read.negative ? -1n - integer : integer).toBe(value);
        if (value >= -(2n ** 63n)) expect(BigInt(decoder.decode(encodeCbor(safe ? Number(value) : wide(value))))).toBe(value);
      }),
      RUNS,
    );
  });
});

describe('50,000 mutations of recorded frames', () => {
  const trace = JSON.parse(readFileSync(new URL('../vectors/reference-trace.json', import.meta.url), 'utf8')) as {
    readonly frames: readonly { readonly hex: string }[];
  };
  const seeds = trace.frames.map(({ hex }) => fromHex(hex));

  it('throw CborError or nothing, and what is accepted is stable', () => {
    const entropy = new SeededEntropy(50_000);
    let accepted = 0;
    for (let i = 0; i < 50_000; i++) {
      const mutant = mutate(entropy, seeds);
      let value: CborValue;
      try {
        value = decodeCbor(mutant);
      } catch (error) {
        if (error instanceof CborError) continue;
        throw new Error(`${toHex(mutant)}: ${String(error)}`);
      }
      accepted += 1;
      const again = encodable(value) ? decodeCbor(encodeCbor(value)) : value;
      if (!sameValue(again, value)) throw new Error(`${toHex(mutant)}: encoded again it is another value`);
    }
    // Neither all nor nothing survives: the mutations reach past the first byte.
    expect(accepted).toBeGreaterThan(5000);
    expect(accepted).toBeLessThan(45_000);
  });

  it('in a stream of frames throw FrameError or nothing', () => {
    const entropy = new SeededEntropy(7);
    for (let i = 0; i < 2000; i++) {
      const reader = new FrameReader(8192);
      try {
        reader.push(mutate(entropy, seeds), (payload) => {
          expect(payload.length).toBeGreaterThan(0);
          expect(payload.length).toBeLessThanOrEqual(8192);
        });
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
      }
    }
  });
});

/** One or two changes: a byte replaced, a bit turned, bytes cut out, doubled, or taken from another frame. */
function mutate(entropy: SeededEntropy, seeds: readonly Uint8Array[]): Uint8Array {
  const pick = (): Uint8Array => seeds[entropy.below(seeds.length)] ?? new Uint8Array(0);
  let bytes: number[] = [...pick()];
  for (let changes = 1 + entropy.below(2); changes > 0; changes--) {
    const at = entropy.below(bytes.length + 1);
    const length = 1 + entropy.below(8);
    switch (entropy.below(6)) {
      case 0:
        bytes[at] = entropy.below(256);
        break;
      case 1:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << entropy.below(8));
        break;
      case 2:
        bytes.splice(at, length);
        break;
      case 3:
        bytes.splice(at, 0, ...bytes.slice(at, at + length));
        break;
      case 4:
        bytes.splice(at, 0, ...pick().slice(0, 60));
        break;
      default:
        bytes = bytes.slice(0, at);
    }
  }
  return Uint8Array.from(bytes);
}

function reversed(value: CborValue): CborValue {
  if (value instanceof Map) return new Map([...value].reverse().map(([each, inner]) => [each, reversed(inner as CborValue)]));
  return Array.isArray(value) ? value.map(reversed) : value;
}

/** cbor-x hands out Buffers. */
function plain(value: unknown): CborValue {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (value instanceof Map)
    return new Map([...value].map(([each, inner]) => [typeof each === 'bigint' ? Number(each) : each, plain(inner)]));
  return Array.isArray(value) ? value.map(plain) : (value as CborValue);
}

function withSmallKeys(value: CborValue): CborValue {
  if (value instanceof Map)
    return new Map(
      [...value].map(([each, inner]) => [typeof each === 'number' ? each % 100_000 : each, withSmallKeys(inner as CborValue)] as const),
    );
  return Array.isArray(value) ? value.map(withSmallKeys) : value;
}

/** Floating-point numbers are received and never sent. */
function encodable(value: CborValue): boolean {
  try {
    encodeCbor(value);
    return true;
  } catch {
    return false;
  }
}
