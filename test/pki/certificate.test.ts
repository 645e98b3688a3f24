import { describe, expect, it } from 'vitest';
import { concat } from '../../src/codec/bytes.js';
import { fromHex } from '../../src/codec/hex.js';
import { utf8Encode } from '../../src/codec/utf8.js';
import { type Certificate, parseCertificate } from '../../src/pki/certificate.js';
import type { CertificateReason } from '../../src/pki/certificate-error.js';
import { TAG } from '../../src/pki/der-tag.js';
import {
  der,
  derBitString,
  derBoolean,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derText,
  derTime,
} from '../../src/pki/der-writer.js';
import { ecdsaAlgorithm, signed } from '../../src/pki/ecdsa.js';
import { attributeValues, commonName, writeName } from '../../src/pki/name.js';
import { OID } from '../../src/pki/oid.js';
import { encodeSpki, keyIdentifier } from '../../src/pki/spki.js';
import { WORLD_NOW } from '../world/certificates.js';
import { hasOpenssl, openssl, opensslNote } from './oracles.js';
import { fixedScalar, REFERENCE, seededCrypto } from './vectors.js';

const crypto = seededCrypto(41);
const key = crypto.importKey(fixedScalar(1));
const name = writeName([[{ type: OID.commonName, value: 'x' }]]);
const spki = encodeSpki(key.publicKey);

type Field = 'version' | 'serial' | 'algorithm' | 'issuer' | 'validity' | 'subject' | 'spki' | 'extensions';

/** The fields of TBSCertificate, each of which a test can replace; an empty one is left out. */
const FIELDS: Readonly<Record<Field, Uint8Array>> = {
  version: der(0xa0, derInteger(Uint8Array.of(2))),
  serial: derInteger(Uint8Array.of(1)),
  algorithm: ecdsaAlgorithm(),
  issuer: name,
  validity: derSequence(derTime(WORLD_NOW), derTime(WORLD_NOW + 60)),
  subject: name,
  spki,
  extensions: new Uint8Array(0),
};

function make(fields: Partial<Record<Field, Uint8Array>> = {}): Uint8Array {
  return signed(crypto, key, derSequence(...Object.values({ ...FIELDS, ...fields })));
}

function extension(id: string, value: Uint8Array, critical?: Uint8Array): Uint8Array {
  return derSequence(derOid(id), ...(critical === undefined ? [] : [critical]), derOctetString(value));
}

function extended(...extensions: readonly Uint8Array[]): Uint8Array {
  return make({ extensions: der(0xa3, derSequence(...extensions)) });
}

function parsed(bytes: Uint8Array): Certificate {
  return parseCertificate(crypto, bytes);
}

function withSignature(signature: Uint8Array): Uint8Array {
  return derSequence(derSequence(...Object.values(FIELDS)), ecdsaAlgorithm(), derBitString(signature));
}

const one = derInteger(Uint8Array.of(1));
const basic = (...content: readonly Uint8Array[]): Uint8Array => extension(OID.basicConstraints, derSequence(...content));
const time = (text: string): Uint8Array => der(TAG.utcTime, utf8Encode(text));
const wide = derInteger(new Uint8Array(33).fill(1));

describe('a certificate that is refused', () => {
  const rows: readonly [what: string, bytes: Uint8Array, reason: CertificateReason][] = [
    ['empty', new Uint8Array(0), 'malformed'],
    ['bytes after it', concat(make(), Uint8Array.of(0)), 'malformed'],
    ['cut off', make().subarray(0, -1), 'malformed'],
    ['longer than 8 KiB', extended(extension('1.2.3', new Uint8Array(8192))), 'malformed'],
    ['version 1, not written', make({ version: new Uint8Array(0) }), 'unsupported'],
    ['version 2', make({ version: der(0xa0, one) }), 'unsupported'],
    ['something after the version', make({ version: der(0xa0, derInteger(Uint8Array.of(2)), one) }), 'malformed'],
    ['negative serial number', make({ serial: fromHex('0201ff') }), 'malformed'],
    ['serial number of 21 bytes', make({ serial: derInteger(new Uint8Array(21).fill(0x7f)) }), 'malformed'],
    ['inner algorithm sha384', make({ algorithm: derSequence(derOid('1.2.840.10045.4.3.3')) }), 'unsupported'],
    ['inner algorithm with parameters', make({ algorithm: derSequence(derOid(OID.ecdsaWithSha256), fromHex('0500')) }), 'malformed'],
    [
      'outer algorithm sha384',
      derSequence(derSequence(...Object.values(FIELDS)), derSequence(derOid('1.2.840.10045.4.3.3')), derBitString(derSequence(one, one))),
      'unsupported',
    ],
    ['issuer without a name', make({ issuer: derSequence() }), 'malformed'],
    ['an empty relative name', make({ subject: derSequence(der(TAG.set)) }), 'malformed'],
    ['an attribute without a value', make({ subject: derSequence(der(TAG.set, derSequence(derOid(OID.commonName)))) }), 'malformed'],
    [
      'an attribute with two values',
      make({ subject: derSequence(der(TAG.set, derSequence(derOid(OID.commonName), derText('x'), derText('y')))) }),
      'malformed',
    ],
    ['a validity that ends before it begins', make({ validity: derSequence(derTime(WORLD_NOW), derTime(WORLD_NOW - 1)) }), 'malformed'],
    ['three times', make({ validity: derSequence(derTime(WORLD_NOW), derTime(WORLD_NOW), derTime(WORLD_NOW)) }), 'malformed'],
    ['a 31st of June', make({ validity: derSequence(time('260631000000Z'), derTime(WORLD_NOW)) }), 'malformed'],
    [
      'a compressed key',
      make({
        spki: derSequence(derSequence(derOid(OID.ecPublicKey), derOid(OID.prime256v1)), derBitString(crypto.compressPoint(key.publicKey))),
      }),
      'unsupported',
    ],
    [
      'a key of P-384',
      make({ spki: derSequence(derSequence(derOid(OID.ecPublicKey), derOid('1.3.132.0.34')), derBitString(new Uint8Array(97))) }),
      'unsupported',
    ],
    ['a point off the curve', make({ spki: encodeSpki(new Uint8Array(65).fill(4)) }), 'malformed'],
    ['a unique identifier', make({ extensions: der(0x81, Uint8Array.of(0, 1)) }), 'malformed'],
    ['no extension in the list', extended(), 'malformed'],
    ['something after the extensions', make({ extensions: concat(der(0xa3, derSequence(basic())), one) }), 'malformed'],
    ['two lists of extensions', make({ extensions: der(0xa3, derSequence(basic()), derSequence(basic())) }), 'malformed'],
    ['an extension twice', extended(basic(), basic()), 'malformed'],
    ['an unknown extension twice', extended(extension('1.2.3', one), extension('1.2.3', one)), 'malformed'],
    ['an extension without value', extended(derSequence(derOid('1.2.3'))), 'malformed'],
    ['something after the value', extended(derSequence(derOid('1.2.3'), derOctetString(one), one)), 'malformed'],
    ['critical is 01', extended(extension('1.2.3', one, fromHex('010101'))), 'malformed'],
    ['basicConstraints, cA is 01', extended(basic(fromHex('010101'))), 'malformed'],
    ['basicConstraints, a path length without CA', extended(basic(one)), 'malformed'],
    ['basicConstraints, a negative path length', extended(basic(derBoolean(true), fromHex('0201ff'))), 'malformed'],
    ['basicConstraints, bytes after it', extended(extension(OID.basicConstraints, concat(derSequence(), one))), 'malformed'],
    ['keyUsage without a bit', extended(extension(OID.keyUsage, fromHex('030100'))), 'malformed'],
    ['extKeyUsage without a purpose', extended(extension(OID.extKeyUsage, derSequence())), 'malformed'],
    ['subjectKeyIdentifier, another type', extended(extension(OID.subjectKeyIdentifier, one)), 'malformed'],
    [
      'authorityKeyIdentifier with an issuer alone',
      extended(extension(OID.authorityKeyIdentifier, derSequence(der(0xa1, name)))),
      'malformed',
    ],
    [
      'authorityKeyIdentifier with something more',
      extended(extension(OID.authorityKeyIdentifier, derSequence(der(0x80), der(0xa1), der(0x82), der(0x83)))),
      'malformed',
    ],
    ['subjectAltName without a name', extended(extension(OID.subjectAltName, derSequence())), 'malformed'],
    ['subjectAltName of no kind', extended(extension(OID.subjectAltName, derSequence(der(0x89)))), 'malformed'],
    [
      'a dNSName with a zero byte',
      extended(extension(OID.subjectAltName, derSequence(der(0x82, Uint8Array.of(0x61, 0, 0x62))))),
      'malformed',
    ],
    ['a dNSName that is not ASCII', extended(extension(OID.subjectAltName, derSequence(der(0x82, utf8Encode('ü'))))), 'malformed'],
    [
      'something after the signature field',
      derSequence(derSequence(...Object.values(FIELDS)), ecdsaAlgorithm(), derBitString(derSequence(one, one)), one),
      'malformed',
    ],
    ['a signature that is no SEQUENCE', withSignature(new Uint8Array(64)), 'malformed'],
    ['a signature of one number', withSignature(derSequence(one)), 'malformed'],
    ['a signature of three numbers', withSignature(derSequence(one, one, one)), 'malformed'],
    ['a negative r', withSignature(derSequence(fromHex('0201ff'), one)), 'malformed'],
    ['an s of 33 bytes', withSignature(derSequence(one, wide)), 'malformed'],
    ['bytes after the signature', withSignature(concat(derSequence(one, one), Uint8Array.of(0))), 'malformed'],
  ];
  it.each(rows)('%s', (_what, bytes, reason) => {
    expect(() => parsed(bytes)).toThrow(expect.objectContaining({ name: 'CertificateError', reason }));
  });

  it.runIf(hasOpenssl).each([
    ['RSA', ['rsa:2048'], 'unsupported'],
    ['Ed25519', ['ed25519'], 'unsupported'],
    // Its r and s are longer than those of P-256.
    ['P-384', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'], 'malformed'],
  ])(`%s of openssl${opensslNote}`, (_what, args, reason) => {
    const pem = openssl(new Uint8Array(0), 'req', '-x509', '-newkey', ...args, '-nodes', '-keyout', '/dev/null', '-subj', '/CN=x');
    const bytes = Buffer.from(/BEGIN CERTIFICATE-----([^-]*)-----END/.exec(pem)?.[1] ?? '', 'base64');
    expect(() => parsed(bytes)).toThrow(expect.objectContaining({ reason }));
  });
});

describe('a certificate that is accepted', () => {
  it('the base of the refused ones', () => {
    expect(parsed(make())).toMatchObject({ notBefore: WORLD_NOW, notAfter: WORLD_NOW + 60, publicKey: key.publicKey });
  });

  it.runIf(hasOpenssl)(`made by openssl${opensslNote}`, () => {
    const args = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      '/dev/null',
      '-subj',
      '/O=Ünï/CN=x',
      '-utf8',
    ];
    const pem = openssl(new Uint8Array(0), 'req', '-x509', ...args);
    const certificate = parsed(Buffer.from(/BEGIN CERTIFICATE-----([^-]*)-----END/.exec(pem)?.[1] ?? '', 'base64'));
    expect(attributeValues(certificate.subject, OID.organization)).toEqual(['Ünï']);
    expect(certificate.extensions.basicConstraints).toEqual({ ca: true, pathLength: undefined });
  });

  it('critical and cA written as FALSE', () => {
    const { extensions } = parsed(extended(extension(OID.basicConstraints, derSequence(derBoolean(false)), derBoolean(false))));
    expect(extensions.basicConstraints).toEqual({ ca: false, pathLength: undefined });
  });

  it('unknown extensions: the critical ones are listed', () => {
    const some = extended(
      extension('1.2.3', one, derBoolean(true)),
      extension('1.2.4', one),
      extension('2.5.29.30', one, derBoolean(true)),
    );
    expect(parsed(some).extensions.unknownCritical).toEqual(['1.2.3', '2.5.29.30']);
  });

  it('authorityKeyIdentifier with issuer and serial number, with and without key identifier', () => {
    const rest = [der(0xa1, der(0xa4, name)), der(0x82, Uint8Array.of(1))];
    const full = extension(OID.authorityKeyIdentifier, derSequence(der(0x80, Uint8Array.of(7)), ...rest));
    expect(parsed(extended(full)).extensions.authorityKeyId).toEqual(Uint8Array.of(7));
    expect(parsed(extended(extension(OID.authorityKeyIdentifier, derSequence(...rest)))).extensions.authorityKeyId).toBeUndefined();
  });

  it('subjectAltName of all kinds: dNSNames and URIs are read', () => {
    const tags = [0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88];
    const value = derSequence(...tags.map((tag) => der(tag, utf8Encode('ab'))));
    expect(parsed(extended(extension(OID.subjectAltName, value))).extensions.subjectAltName).toEqual({ dnsNames: ['ab'], uris: ['ab'] });
  });

  it('a subject without a name', () => {
    expect(commonName(parsed(make({ subject: derSequence() })).subject)).toBeUndefined();
  });

  it('dates as GeneralizedTime before 2050', () => {
    const early = der(TAG.generalizedTime, utf8Encode('20261122000000Z'));
    expect(parsed(make({ validity: derSequence(early, derTime(WORLD_NOW)) })).notBefore).toBe(WORLD_NOW);
  });
});

describe('the texts of a name', () => {
  const text = (tag: number, bytes: Uint8Array): Uint8Array =>
    make({ subject: derSequence(der(TAG.set, derSequence(derOid(OID.organization), der(tag, bytes)))) });
  const utf16 = (value: string): Uint8Array => Uint8Array.from([...value].flatMap((character) => [0, character.charCodeAt(0)]));

  it.each([
    ['PrintableString', text(TAG.printableString, utf8Encode('MASH Device'))],
    ['UTF8String', text(TAG.utf8String, utf8Encode('MASH Device'))],
    ['IA5String', text(TAG.ia5String, utf8Encode('MASH Device'))],
    ['TeletexString', text(TAG.teletexString, utf8Encode('MASH Device'))],
    ['BMPString', text(TAG.bmpString, utf16('MASH Device'))],
  ])('%s is read: no form hides that a certificate is a device', (_what, bytes) => {
    expect(attributeValues(parsed(bytes).subject, OID.organization)).toEqual(['MASH Device']);
  });

  it.each([
    ['PrintableString of another alphabet', text(TAG.printableString, utf8Encode('a_b'))],
    ['UTF8String cut off', text(TAG.utf8String, Uint8Array.of(0xc3))],
    ['IA5String above 0x7f', text(TAG.ia5String, Uint8Array.of(0x80))],
    ['BMPString of an odd length', text(TAG.bmpString, Uint8Array.of(0, 0x41, 0))],
    ['BMPString with a surrogate', text(TAG.bmpString, Uint8Array.of(0xd8, 0))],
    ['UniversalString', text(0x1c, Uint8Array.of(0, 0, 0, 0x41))],
    ['NumericString', text(0x12, utf8Encode('1'))],
    ['an integer', text(TAG.integer, Uint8Array.of(1))],
  ])('%s is refused', (_what, bytes) => {
    expect(() => parsed(bytes)).toThrow(expect.objectContaining({ reason: 'malformed' }));
  });

  it('the order inside a SET is kept, and issuer equality is one of bytes', () => {
    const pair = (value: string): Uint8Array => derSequence(derOid(OID.organizationalUnit), der(TAG.printableString, utf8Encode(value)));
    const unsorted = derSequence(der(TAG.set, pair('ZZ'), pair('A')));
    const certificate = parsed(make({ subject: unsorted }));
    expect(attributeValues(certificate.subject, OID.organizationalUnit)).toEqual(['ZZ', 'A']);
    expect(certificate.subject.raw).toEqual(unsorted);
  });

  it('several units in one relative name are written as a SET in DER order, as in the reference', () => {
    const zone = [
      [{ type: OID.organization, value: 'MASH Zone' }],
      [
        { type: OID.organizationalUnit, value: 'Home Energy' },
        { type: OID.organizationalUnit, value: 'GRID' },
      ],
      [{ type: OID.commonName, value: 'MASH Zone CA - Home Energy' }],
    ];
    expect(writeName(zone)).toEqual(parsed(REFERENCE.zoneCa).subject.raw);
  });
});

describe('public keys', () => {
  it('the key identifier is SHA-256(SPKI)[0:20], that of the reference', () => {
    const certificate = parsed(REFERENCE.zoneCa);
    expect(keyIdentifier(crypto, certificate.publicKey)).toEqual(certificate.extensions.subjectKeyId);
  });

  it('only uncompressed points are encoded', () => {
    expect(() => encodeSpki(crypto.compressPoint(key.publicKey))).toThrow(RangeError);
  });
});
