import { describe, expect, it } from 'vitest';
import { concat } from '../../src/codec/bytes.js';
import { decodeCbor } from '../../src/codec/cbor.js';
import { encodeFrame, FrameError, FrameReader, PREFIX } from '../../src/codec/frame.js';
import { fromHex, toHex } from '../../src/codec/hex.js';
import { SeededEntropy } from '../world/entropy.js';

const MAXIMUM = 100;

function frame(payload: Uint8Array): Uint8Array {
  const prefix = new Uint8Array(PREFIX);
  new DataView(prefix.buffer).setUint32(0, payload.length);
  return concat(prefix, payload);
}

/** What a reader delivers, and the message of the FrameError that ended it. */
function read(chunks: readonly Uint8Array[], maximum = MAXIMUM): { payloads: string[]; error: string | undefined } {
  const reader = new FrameReader(maximum);
  const payloads: string[] = [];
  let error: string | undefined;
  for (const chunk of chunks) {
    try {
      reader.push(chunk, (payload) => payloads.push(toHex(payload)));
    } catch (thrown) {
      if (!(thrown instanceof FrameError)) throw thrown;
      expect(error).toBeUndefined();
      error = thrown.message;
    }
  }
  return { payloads, error };
}

function bytewise(bytes: Uint8Array): Uint8Array[] {
  return [...bytes].map((byte) => Uint8Array.of(byte));
}

describe('FrameReader', () => {
  const entropy = new SeededEntropy(4);
  const payloads = [1, 2, 3, 4, 5, 99, MAXIMUM, 1, 50].map((length) => entropy.bytes(length));
  const expected = payloads.map(toHex);
  const stream = concat(...payloads.map(frame));

  it('cuts a stream that comes in one chunk', () => {
    expect(read([stream])).toEqual({ payloads: expected, error: undefined });
  });

  it('cuts a stream that comes byte by byte', () => {
    expect(read(bytewise(stream))).toEqual({ payloads: expected, error: undefined });
  });

  it('cuts a stream wherever it is split', () => {
    for (let at = 0; at <= stream.length; at++) expect(read([stream.subarray(0, at), stream.subarray(at)]).payloads).toEqual(expected);
    for (let round = 0; round < 200; round++) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < stream.length; ) {
        const length = entropy.below(40);
        chunks.push(stream.subarray(at, at + length));
        at += length;
      }
      expect(read(chunks)).toEqual({ payloads: expected, error: undefined });
    }
  });

  it('does not depend on the chunk after the call', () => {
    const reader = new FrameReader(MAXIMUM);
    const chunk = frame(Uint8Array.of(1, 2, 3)).slice(0, 6);
    const seen: string[] = [];
    reader.push(chunk, () => expect.fail('incomplete'));
    chunk.fill(0xff);
    reader.push(Uint8Array.of(3), (payload) => seen.push(toHex(payload)));
    expect(seen).toEqual(['010203']);
  });

  it.each([
    ['length 0', '00000000', 'frame of length 0'],
    ['one more than the maximum', '00000065', 'frame of 101 bytes, at most 100 are allowed'],
    ['4 GiB', 'ffffffff', 'frame of 4294967295 bytes, at most 100 are allowed'],
    ['65537', '00010001', 'frame of 65537 bytes, at most 100 are allowed'],
  ])('%s ends the stream after what came before it', (_what, prefix, message) => {
    const bytes = concat(frame(Uint8Array.of(7)), frame(Uint8Array.of(8, 9)), fromHex(prefix), frame(Uint8Array.of(10)));
    for (const chunks of [[bytes], bytewise(bytes), [bytes.subarray(0, 9), bytes.subarray(9)]])
      expect(read(chunks)).toEqual({ payloads: ['07', '0809'], error: message });
  });

  it('takes nothing after a bad prefix', () => {
    expect(read([fromHex('00000000'), frame(Uint8Array.of(1))])).toEqual({ payloads: [], error: 'frame of length 0' });
  });

  it('allocates nothing for a length it was only promised', () => {
    const before = process.memoryUsage().arrayBuffers;
    const reader = new FrameReader(0xffff_ffff);
    reader.push(fromHex('ffffffff'), () => expect.fail('incomplete'));
    reader.push(new Uint8Array(1000), () => expect.fail('incomplete'));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });

  it('takes a large frame byte by byte without copying it again and again', () => {
    const payload = entropy.bytes(65_536);
    const reader = new FrameReader(65_536);
    let copied = 0;
    const copyWithin = Uint8Array.prototype.copyWithin;
    Uint8Array.prototype.copyWithin = function (this: Uint8Array, ...args: Parameters<typeof copyWithin>) {
      copied += (args[2] ?? this.length) - args[1];
      return copyWithin.apply(this, args) as Uint8Array;
    } as typeof copyWithin;
    try {
      for (const byte of bytewise(frame(payload))) reader.push(byte, (whole) => expect(whole).toEqual(payload));
    } finally {
      Uint8Array.prototype.copyWithin = copyWithin;
    }
    expect(copied).toBe(0);
  });
});

describe('encodeFrame', () => {
  it('writes prefix and payload into one buffer', () => {
    expect(toHex(encodeFrame(new Map([[1, 3]]), 8192) ?? new Uint8Array(0))).toBe('00000003a10103');
  });

  it('writes a payload of exactly the maximum and nothing longer', () => {
    // A byte string of 256 bytes or more has a head of three.
    const fits = encodeFrame(new Uint8Array(8192 - 3), 8192);
    expect(fits).toHaveLength(PREFIX + 8192);
    expect(read([fits ?? new Uint8Array(0)], 8192).payloads).toHaveLength(1);
    expect(encodeFrame(new Uint8Array(8192 - 2), 8192)).toBeUndefined();
  });

  it('is what the reader takes apart', () => {
    const seen: unknown[] = [];
    const reader = new FrameReader(8192);
    for (const value of [0, 'text', [1, [2]]])
      reader.push(encodeFrame(value, 8192) ?? new Uint8Array(0), (payload) => seen.push(decodeCbor(payload)));
    expect(seen).toEqual([0, 'text', [1, [2]]]);
  });
});
