import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/codec/hex.js';
import { PASE_POINTS, type PaseDialect } from '../../src/crypto/pase-points.js';
import { parseSetupCode } from '../../src/crypto/setup-code.js';
import { prepareRegistration, prepareShare, verifierFromSetupCode } from '../../src/crypto/spake2plus.js';
import { startProver } from '../../src/crypto/spake2plus-prover.js';
import { PeerError } from '../../src/errors.js';
import { Secret } from '../../src/secret.js';
import { ADAPTERS, node, ORDER, portable, scalarOf, withBytes } from './adapters.js';

const code = parseSetupCode('20202021');
const wrong = parseSetupCode('20202022');
const exporter = new Uint8Array(32).fill(0x5a);
const DIALECTS = [
  { dialect: 'draft' as PaseDialect, context: exporter, length: 33 },
  { dialect: 'reference' as PaseDialect, context: undefined, length: 65 },
];
const CASES = ADAPTERS.flatMap((adapter) => DIALECTS.map((dialect) => ({ ...adapter, ...dialect })));

describe.each(CASES)('SPAKE2+ $dialect over $name', ({ crypto, other, dialect, context, length }) => {
  const verifier = verifierFromSetupCode(crypto, dialect, code);
  const registration = prepareRegistration(crypto, verifier);
  const refused = (message: string) => new PeerError(1, message);

  it('TC-PASE-1: both sides agree, each over another adapter', () => {
    const prover = startProver(other, dialect, code);
    const share = prepareShare(crypto, registration);
    const Y = share.accept(prover.X);
    expect([prover.X.length, Y.length]).toEqual([length, length]);
    const keys = share.finish(context);
    const proved = prover.finish(Y, context);
    expect(keys.checkController(proved.confirmController)).toBe(true);
    expect(proved.checkDevice(keys.confirmDevice)).toBe(true);
    expect(proved.zoneId).toBe(keys.zoneId);
    expect(keys.zoneId === undefined).toBe(dialect === 'draft');
  });

  it('TC-PASE-2: with the wrong code neither side accepts the other', () => {
    const prover = startProver(crypto, dialect, wrong);
    const share = prepareShare(crypto, registration);
    const proved = prover.finish(share.accept(prover.X), context);
    const keys = share.finish(context);
    expect(keys.checkController(proved.confirmController)).toBe(false);
    expect(proved.checkDevice(keys.confirmDevice)).toBe(false);
  });

  it('a confirmation cut short, extended or sent back is not accepted', () => {
    const prover = startProver(crypto, dialect, code);
    const share = prepareShare(crypto, registration);
    const { confirmController } = prover.finish(share.accept(prover.X), context);
    const keys = share.finish(context);
    for (const mac of [new Uint8Array(0), confirmController.slice(0, 31), Uint8Array.of(...confirmController, 0), keys.confirmDevice]) {
      expect(keys.checkController(mac)).toBe(false);
    }
    expect(keys.checkController(confirmController)).toBe(true);
  });

  it('TC-PASE-4: refuses an X that is no point with status 1; the share, not shown yet, then serves the next X', () => {
    const share = prepareShare(crypto, registration);
    const valid = startProver(crypto, dialect, code).X;
    const off = crypto.decodePoint(valid);
    off[64] = (off[64] as number) ^ 1;
    const hybrid = crypto.decodePoint(valid);
    hybrid[0] = 6 + ((hybrid[64] as number) & 1);
    for (const X of [new Uint8Array(0), Uint8Array.of(0), valid.slice(1), off, hybrid, new Uint8Array(65), new Uint8Array(33)]) {
      expect(() => share.accept(X)).toThrow(PeerError);
      expect(() => startProver(crypto, dialect, code).finish(X, context)).toThrow(PeerError);
    }
    expect(share.accept(valid)).toHaveLength(length);
  });

  it('TC-PASE-4: refuses the X = w0·M that would make Z the identity, and its mirror image Y = w0·N', () => {
    const { M, N } = PASE_POINTS[dialect];
    const w0 = verifier.w0.expose();
    const form = (point: Uint8Array) => (dialect === 'draft' ? crypto.compressPoint(point) : point);
    const share = prepareShare(crypto, registration);
    share.accept(form(crypto.multiply(M, w0)));
    expect(() => share.finish(context)).toThrow(refused('the share leads to the identity'));
    const prover = startProver(crypto, dialect, code);
    expect(() => prover.finish(form(crypto.multiply(N, w0)), context)).toThrow(refused('the share leads to the identity'));
  });

  it('TC-PASE-5: the same X twice gets a fresh Y each time, and a share serves one attempt', () => {
    const { X } = startProver(crypto, dialect, code);
    const first = prepareShare(crypto, registration);
    const second = prepareShare(crypto, registration);
    const Y = first.accept(X);
    expect(second.accept(X)).not.toEqual(Y);
    expect(() => first.accept(X)).toThrow('a prepared share serves one attempt');
    const confirmations = [first.finish(context), second.finish(context)].map((keys) => toHex(keys.confirmDevice));
    expect(confirmations[0]).not.toBe(confirmations[1]);
    expect(() => first.finish(context)).toThrow('finish follows accept, once');
    expect(() => first.accept(X)).toThrow('a prepared share serves one attempt');
  });

  it('steps out of order are our own bugs, not the peer’s', () => {
    const share = prepareShare(crypto, registration);
    expect(() => share.finish(context)).toThrow('finish follows accept, once');
    const prover = startProver(crypto, dialect, code);
    const Y = share.accept(prover.X);
    prover.finish(Y, context);
    expect(() => prover.finish(Y, context)).toThrow('a prover serves one attempt');
  });

  it('wants the channel binding exactly where the dialect has one', () => {
    const prover = startProver(crypto, dialect, code);
    const share = prepareShare(crypto, registration);
    const Y = share.accept(prover.X);
    const bad =
      dialect === 'draft' ? [undefined, new Uint8Array(0), new Uint8Array(31), new Uint8Array(33)] : [exporter, new Uint8Array(0)];
    for (const value of bad) {
      expect(() => share.finish(value)).toThrow(RangeError);
      expect(() => prover.finish(Y, value)).toThrow(RangeError);
    }
    expect(share.finish(context).checkController(prover.finish(Y, context).confirmController)).toBe(true);
  });

  it('what X and Y hand out are copies', () => {
    const prover = startProver(crypto, dialect, code);
    const share = prepareShare(crypto, registration);
    const X = prover.X;
    const Y = share.accept(X);
    const received = Y.slice();
    Y.fill(0);
    X.fill(0);
    expect(prover.X).not.toEqual(X);
    expect(share.finish(context).checkController(prover.finish(received, context).confirmController)).toBe(true);
  });

  it('refuses a stored verifier that is none', () => {
    const off = verifier.L.expose().slice();
    off[64] = (off[64] as number) ^ 1;
    expect(() => prepareRegistration(crypto, { ...verifier, L: new Secret(off) })).toThrow(RangeError);
    for (const w0 of [scalarOf(0n), scalarOf(ORDER), new Uint8Array(31)]) {
      expect(() => prepareRegistration(crypto, { ...verifier, w0: new Secret(w0) })).toThrow(RangeError);
    }
  });

  it('an entropy source that undoes the mask is an error, not an identity', () => {
    const y = scalarOf(77n);
    const undone = { ...registration, w0N: new Secret(crypto.negatePoint(crypto.multiplyBase(y))) };
    expect(() => prepareShare(withBytes(crypto, y), undone)).toThrow('the entropy source knows the mask');
  });

  it('prints no secret in any text form', () => {
    const share = prepareShare(crypto, registration);
    const prover = startProver(crypto, dialect, code);
    share.accept(prover.X);
    const keys = share.finish(context);
    const text = [verifier, registration, share]
      .flatMap((value) => [String(value), JSON.stringify(value), inspect(value, { depth: 9, showHidden: true })])
      .join('\n');
    expect(text).toContain('[secret]');
    for (const secret of [verifier.w0, verifier.L, registration.minusW0M, registration.w0N]) {
      const bytes = secret.expose().slice(-8);
      expect(text).not.toContain(toHex(bytes));
      expect(text).not.toContain(bytes.join(', '));
      expect(text).not.toContain(bytes.join(','));
    }
    for (const value of [prover, keys]) expect(JSON.stringify(value)).not.toContain(toHex(verifier.w0.expose()).slice(0, 8));
    expect(inspect(share, { showHidden: true })).not.toContain('Uint8Array');
  });
});

describe('the draft dialect alone', () => {
  it('protocol.md §2.4: another exporter value on the other side makes the confirmations differ', () => {
    const registration = prepareRegistration(node, verifierFromSetupCode(node, 'draft', code));
    const prover = startProver(node, 'draft', code);
    const share = prepareShare(node, registration);
    const proved = prover.finish(share.accept(prover.X), new Uint8Array(32).fill(0x5b));
    const keys = share.finish(exporter);
    expect(keys.checkController(proved.confirmController)).toBe(false);
    expect(proved.checkDevice(keys.confirmDevice)).toBe(false);
  });

  it('protocol.md §2.3: a 65-byte X is accepted', () => {
    const share = prepareShare(node, prepareRegistration(node, verifierFromSetupCode(node, 'draft', code)));
    const X = node.decodePoint(startProver(node, 'draft', code).X);
    expect(share.accept(X)).toHaveLength(33);
  });
});

describe('the reference dialect alone', () => {
  it('protocol.md §3: a 33-byte pA is refused', () => {
    const share = prepareShare(node, prepareRegistration(node, verifierFromSetupCode(node, 'reference', code)));
    const X = node.compressPoint(startProver(node, 'reference', code).X);
    expect(() => share.accept(X)).toThrow(new PeerError(1, 'the share is not 65 bytes long'));
  });
});

describe('verifiers', () => {
  it('protocol.md §2.2: each dialect has its own, the same over both adapters', () => {
    const of = (crypto: typeof node, dialect: PaseDialect) => {
      const { w0, L } = verifierFromSetupCode(crypto, dialect, code);
      return [toHex(w0.expose()), toHex(L.expose())];
    };
    expect(of(portable, 'draft')).toEqual(of(node, 'draft'));
    expect(of(portable, 'reference')).toEqual(of(node, 'reference'));
    expect(of(node, 'draft')).not.toEqual(of(node, 'reference'));
  });
});
