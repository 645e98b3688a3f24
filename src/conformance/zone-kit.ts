import { utf8Encode } from '../codec/utf8.js';
import type { ZoneKind } from '../controller/zone.js';
import { ZONE_KINDS } from '../controller/zone.js';
import { basicConstraints, type Extension, extKeyUsage, keyUsage, randomSerial, writeCertificate } from '../pki/certificate-writer.js';
import { contextTag } from '../pki/der-tag.js';
import { der, derOctetString, derSequence } from '../pki/der-writer.js';
import { deviceIdOfKey } from '../pki/identities.js';
import { type RelativeName, writeName } from '../pki/name.js';
import { KEY_USAGE, OID } from '../pki/oid.js';
import { keyIdentifier } from '../pki/spki.js';
import type { Crypto, PrivateKey, TlsIdentity } from '../platform.js';

const DAY = 86_400;
const YEAR = 365 * DAY;

/** What of a certificate is to be other than it should. */
export interface LeafChange {
  readonly subject?: readonly RelativeName[];
  /** Unix seconds. */
  readonly notBefore?: number;
  readonly notAfter?: number;
  /** Signs in place of the zone's key. */
  readonly signer?: PrivateKey;
}

/** A zone that issues whatever a case asks for, right or wrong. Names as protocol.md §3 has them; valid from yesterday on. */
export class ZoneKit {
  readonly name: string;
  readonly kind: ZoneKind;
  readonly ca: Uint8Array;
  readonly caKey: PrivateKey;
  readonly controller: TlsIdentity;
  readonly #controllerKey: PrivateKey;
  readonly #crypto: Crypto;
  readonly #now: number;
  readonly #subject: readonly RelativeName[];

  /** `now`: Unix seconds. */
  constructor(crypto: Crypto, name: string, kind: ZoneKind, now: number) {
    this.#crypto = crypto;
    this.#now = now;
    this.name = name;
    this.kind = kind;
    this.caKey = crypto.generateKey();
    this.#controllerKey = crypto.generateKey();
    this.#subject = [
      [{ type: OID.organization, value: 'MASH Zone' }],
      [
        { type: OID.organizationalUnit, value: ZONE_KINDS[kind].reference },
        { type: OID.organizationalUnit, value: name },
      ],
      [{ type: OID.commonName, value: `MASH Zone CA - ${name}` }],
    ];
    this.ca = writeCertificate(crypto, this.caKey, {
      serial: randomSerial(crypto),
      issuer: writeName(this.#subject),
      subject: writeName(this.#subject),
      notBefore: now - DAY,
      notAfter: now + 10 * YEAR,
      publicKey: this.caKey.publicKey,
      extensions: [
        keyUsage(KEY_USAGE.keyCertSign | KEY_USAGE.crlSign),
        basicConstraints(true, 0),
        this.#subjectKeyId(this.caKey.publicKey),
      ],
    });
    this.controller = this.issueController();
  }

  /** The operational certificate for the key of a CSR. */
  issueDevice(publicKey: Uint8Array, change: LeafChange = {}): Uint8Array {
    const id = deviceIdOfKey(this.#crypto, publicKey);
    const names = derSequence(der(contextTag(2, 'primitive'), utf8Encode(id)));
    return this.#issue(publicKey, deviceSubject(id), change, [
      extKeyUsage(OID.clientAuth, OID.serverAuth),
      { id: OID.subjectAltName, critical: false, value: names },
    ]);
  }

  /** The controller's identity; its key stays the same, whatever is changed. */
  issueController(change: LeafChange = {}): TlsIdentity {
    const key = this.#controllerKey;
    const subject = [[{ type: OID.organization, value: 'MASH Controller' }], [{ type: OID.commonName, value: `controller-${this.name}` }]];
    return { key, certificate: this.#issue(key.publicKey, subject, change, [extKeyUsage(OID.clientAuth)]) };
  }

  /** A controller's certificate that chains to nothing. */
  selfSignedController(): TlsIdentity {
    const key = this.#controllerKey;
    const subject = [[{ type: OID.commonName, value: `controller-${this.name}` }]];
    const certificate = this.#write(key, key.publicKey, subject, subject, {}, [extKeyUsage(OID.clientAuth)]);
    return { key, certificate };
  }

  #issue(publicKey: Uint8Array, subject: readonly RelativeName[], change: LeafChange, more: readonly Extension[]): Uint8Array {
    return this.#write(change.signer ?? this.caKey, publicKey, this.#subject, change.subject ?? subject, change, more);
  }

  #write(
    signer: PrivateKey,
    publicKey: Uint8Array,
    issuer: readonly RelativeName[],
    subject: readonly RelativeName[],
    { notBefore = this.#now - DAY, notAfter = this.#now + YEAR }: LeafChange,
    more: readonly Extension[],
  ): Uint8Array {
    return writeCertificate(this.#crypto, signer, {
      serial: randomSerial(this.#crypto),
      issuer: writeName(issuer),
      subject: writeName(subject),
      notBefore: Math.min(notBefore, notAfter - DAY),
      notAfter,
      publicKey,
      extensions: [
        keyUsage(KEY_USAGE.digitalSignature | KEY_USAGE.keyEncipherment),
        basicConstraints(false),
        this.#subjectKeyId(publicKey),
        ...more,
      ],
    });
  }

  #subjectKeyId(publicKey: Uint8Array): Extension {
    return { id: OID.subjectKeyIdentifier, critical: false, value: derOctetString(keyIdentifier(this.#crypto, publicKey)) };
  }
}

export function deviceSubject(id: string): readonly RelativeName[] {
  return [[{ type: OID.organization, value: 'MASH Device' }], [{ type: OID.commonName, value: id }]];
}
