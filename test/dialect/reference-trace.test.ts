import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type CborKey, type CborMap, type CborValue, decodeCbor, encodeCbor, isMap } from '../../src/codec/cbor.js';
import { fromHex, toHex } from '../../src/codec/hex.js';
import { ShapeError } from '../../src/codec/shape.js';
import { dialectOfFirst, referenceDialect } from '../../src/dialect/dialect.js';
import type { CommissioningMessage } from '../../src/dialect/messages.js';
import { Global } from '../../src/model/model.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { parseCertificate } from '../../src/pki/certificate.js';
import { parseCsr } from '../../src/pki/csr.js';
import { deviceIdOfKey } from '../../src/pki/identities.js';
import { attributeValues, commonName } from '../../src/pki/name.js';
import { OID } from '../../src/pki/oid.js';
import { checkDeviceCertificate, checkZoneCa } from '../../src/pki/verify.js';
import {
  classify,
  decodeNotification,
  encodeNotification,
  encodeRequest,
  encodeResponse,
  type Notification,
  type Request,
  type Response,
} from '../../src/session/wire.js';

interface Frame {
  readonly connection: 'commissioning' | 'operational';
  readonly direction: 'to device' | 'from device';
  readonly hex: string;
}
const { frames } = JSON.parse(readFileSync(new URL('../vectors/reference-trace.json', import.meta.url), 'utf8')) as {
  readonly frames: readonly Frame[];
};

type Typed =
  | { readonly kind: 'commissioning'; readonly message: CommissioningMessage }
  | { readonly kind: 'renewal'; readonly message: CommissioningMessage }
  | { readonly kind: 'request'; readonly request: Request }
  | { readonly kind: 'response'; readonly response: Response }
  | { readonly kind: 'notification'; readonly notification: Notification };

/** Decodes the whole session as its two ends do: by connection, direction, and what is pending at the controller. */
function decodeSession(): Typed[] {
  const pending = new Set<number>();
  return frames.map(({ connection, direction, hex }, index): Typed => {
    const value = decodeCbor(fromHex(hex));
    const message = (): CommissioningMessage =>
      direction === 'to device' ? referenceDialect.decodeController(value) : referenceDialect.decodeDevice(value);
    if (connection === 'commissioning' && index !== STRAY_READ) return { kind: 'commissioning', message: message() };
    const inbound = classify(value, direction === 'to device' ? () => false : (id) => pending.has(id));
    switch (inbound.kind) {
      case 'request':
        pending.add(inbound.request.id);
        return inbound;
      case 'response':
        pending.delete(inbound.response.id);
        return inbound;
      case 'notification':
        return { kind: 'notification', notification: decodeNotification(value) };
      case 'renewal':
        return { kind: 'renewal', message: message() };
      default:
        throw new Error(`frame ${index}: ${inbound.kind}`);
    }
  });
}

function encode(typed: Typed): CborMap {
  switch (typed.kind) {
    case 'request':
      return encodeRequest(typed.request);
    case 'response':
      return encodeResponse(typed.response);
    case 'notification':
      return encodeNotification(typed.notification);
    default:
      return referenceDialect.encode(typed.message);
  }
}

/** protocol.md §3: written by the controller after message 33, before it sees the close. */
const STRAY_READ = 8;
const session = decodeSession();

function messages(kind: 'commissioning' | 'renewal'): string[] {
  return session.flatMap((typed) => (typed.kind === kind && 'message' in typed ? [typed.message.type] : []));
}

describe('a recorded session of the Go reference', () => {
  it('has 84 frames', () => {
    expect(frames).toHaveLength(84);
    // 34 requests and their answers, and the stray Read.
    const of = (kind: string): number => session.filter((typed) => typed.kind === kind).length;
    expect([of('request'), of('response'), of('notification'), of('renewal'), of('commissioning')]).toEqual([35, 34, 3, 4, 8]);
  });

  it.each(frames.map(({ connection, direction }, index) => [index, connection, direction] as const))(
    'frame %i (%s, %s) is encoded again to the same bytes',
    (index) => {
      const typed = session[index] as Typed;
      expect(toHex(encodeCbor(encode(typed)))).toBe(frames[index]?.hex);
    },
  );

  it('commissions in the reference dialect', () => {
    expect(dialectOfFirst(decodeCbor(fromHex(frames[0]?.hex ?? '')))?.name).toBe('reference');
    expect(messages('commissioning')).toEqual([
      'paseX',
      'paseY',
      'paseVerify',
      'paseConfirm',
      'csrReq',
      'csrRsp',
      'certInstall',
      'certAck',
    ]);
    expect(session[3]).toMatchObject({ message: { status: 0 } });
    expect(session[6]).toMatchObject({ message: { sequence: 2 } });
    expect(session[7]).toMatchObject({ message: { status: 0, sequence: 2 } });
  });

  it('frame 8, the stray Read, is no message of the commissioning', () => {
    const value = decodeCbor(fromHex(frames[STRAY_READ]?.hex ?? ''));
    expect(() => referenceDialect.decodeController(value)).toThrow(ShapeError);
    expect(session[STRAY_READ]).toEqual({ kind: 'request', request: { id: 2, operation: 1, endpoint: 0, feature: 1, payload: [12] } });
  });

  it('renews inside of the session', () => {
    expect(messages('renewal')).toEqual(['csrReq', 'csrRsp', 'certInstall', 'certAck']);
  });

  it('notifies three times', () => {
    expect(session.slice(81)).toEqual(
      [5_000_000, 6_000_000, 7_000_000].map((value) => ({
        kind: 'notification',
        notification: { subscription: 1, endpoint: 1, feature: 4, values: new Map([[1, value]]) },
      })),
    );
  });

  it('answers every request with its id, and every answer is a status that the protocol lists', () => {
    const asked = session.flatMap((typed, index) => (typed.kind === 'request' && index !== STRAY_READ ? [typed.request.id] : []));
    const answered = session.flatMap((typed) => (typed.kind === 'response' ? [typed.response.id] : []));
    expect([...answered].sort((a, b) => a - b)).toEqual([...asked].sort((a, b) => a - b));
    const refused = session.flatMap((typed, index) =>
      typed.kind === 'response' && typed.response.status !== 0 ? [[index, typed.response.status]] : [],
    );
    expect(refused).toEqual([
      [14, 2],
      [17, 2],
      [53, 6],
    ]);
  });
});

describe('where mash-go departs from the encoding of protocol.md §1', () => {
  it('by the order of keys or the form of numbers: nowhere', () => {
    const departures = frames.flatMap(({ hex }, index) => (toHex(encodeCbor(decodeCbor(fromHex(hex)))) === hex ? [] : [index]));
    expect(departures).toEqual([]);
  });

  /** Where Go writes []uint8 as a byte string: paths into the payload of a response, and the frames that have one there. */
  const BYTE_STRINGS: Readonly<Record<string, readonly number[]>> = {
    // Command list of what a Read returns.
    [`${Global.COMMANDS}`]: [12, 13, 18, 21, 23, 24, 27, 28, 31, 32, 35, 36, 39, 43, 44, 47, 48, 50, 54, 58, 61, 63, 66, 68, 70, 76],
    // Command list among the values of a Subscribe's answer.
    [`2.${Global.COMMANDS}`]: [72, 74],
    // Attribute 71 of feature 6, an array of enumerated values.
    71: [66, 68, 70],
  };

  it('by byte strings in the place of arrays of small integers: in these frames', () => {
    const found: Record<string, number[]> = {};
    session.forEach((typed, index) => {
      if (typed.kind !== 'response' || typed.response.status !== 0 || !isMap(typed.response.payload)) return;
      for (const path of byteStrings(typed.response.payload, '')) {
        found[path] ??= [];
        found[path].push(index);
      }
    });
    expect(found).toEqual(BYTE_STRINGS);
  });
});

/** Paths of the byte strings inside of a value: keys joined by dots. */
function byteStrings(value: CborValue, path: string): string[] {
  if (value instanceof Uint8Array) return [path];
  if (isMap(value)) return [...value].flatMap(([key, inner]) => byteStrings(inner, path === '' ? String(key) : `${path}.${key}`));
  return Array.isArray(value) ? (value as readonly CborValue[]).flatMap((item, i) => byteStrings(item, `${path}[${i}]`)) : [];
}

describe('the certificates of the session', () => {
  const crypto = nodeCrypto();
  const carried = <T extends CommissioningMessage['type']>(index: number, type: T): Extract<CommissioningMessage, { type: T }> => {
    const typed = session[index];
    if (typed === undefined || !('message' in typed) || typed.message.type !== type) throw new Error(`frame ${index} is no ${type}`);
    return typed.message as Extract<CommissioningMessage, { type: T }>;
  };
  const ca = parseCertificate(crypto, carried(4, 'csrReq').zoneCa ?? new Uint8Array(0));
  const csr = parseCsr(crypto, carried(5, 'csrRsp').csr);
  const certificate = parseCertificate(crypto, carried(6, 'certInstall').certificate);
  const time = { quality: 'synchronised', now: ca.notBefore } as const;

  it('first: the device id is that of the key in the CSR, under the Zone CA of message 30', () => {
    checkZoneCa(crypto, ca, time);
    checkDeviceCertificate(crypto, { certificate, ca, expectedPublicKey: csr.publicKey, time });
    expect(commonName(csr.subject)).toBeUndefined();
    expect(commonName(certificate.subject)).toBe('a66a8e4255cc3c8e');
    expect(deviceIdOfKey(crypto, csr.publicKey).toLowerCase()).toBe('a66a8e4255cc3c8e');
    expect(attributeValues(ca.subject, OID.organizationalUnit)).toContain('GRID');
    expect([...attributeValues(certificate.subject, OID.organizationalUnit)].sort()).toEqual(['P1', 'V4660']);
  });

  it('renewed: the key is new and the device id stays', () => {
    const renewalCsr = parseCsr(crypto, carried(78, 'csrRsp').csr);
    const renewed = parseCertificate(crypto, carried(79, 'certInstall').certificate);
    expect(commonName(renewalCsr.subject)).toBe('a66a8e4255cc3c8e');
    expect(toHex(renewalCsr.publicKey)).not.toBe(toHex(csr.publicKey));
    checkDeviceCertificate(crypto, {
      certificate: renewed,
      ca,
      expectedPublicKey: renewalCsr.publicKey,
      expectedCommonName: 'A66A8E4255CC3C8E',
      time,
    });
  });

  it('the nonce of a renewal is bound by its hash; the first exchange has none', () => {
    const { nonceHash } = carried(78, 'csrRsp');
    expect(toHex(nonceHash ?? new Uint8Array(0))).toBe(toHex(crypto.sha256(carried(77, 'csrReq').nonce).slice(0, 16)));
    expect(carried(5, 'csrRsp').nonceHash).toBeUndefined();
  });

  it('the vendor and product of the certificate are those that DeviceInfo reads', () => {
    const typed = session[12] as Extract<Typed, { kind: 'response' }>;
    const values = typed.response.payload as ReadonlyMap<CborKey, CborValue>;
    expect([values.get(5), values.get(6)]).toEqual([0x1234, 1]);
    expect((values.get(Global.ATTRIBUTES) as readonly number[]).every((id) => id === Global.COMMANDS || values.has(id))).toBe(true);
  });
});
