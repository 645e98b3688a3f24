import { decodeCbor, encodeCbor } from '../codec/cbor.js';
import { bytesAt, integerAt, mapOf } from '../codec/shape.js';
import { createCommissioningCertificate } from '../pki/self-signed.js';
import type { TrustedTime } from '../pki/trusted-time.js';
import type { Crypto, Log, TlsIdentity } from '../platform.js';
import type { Profile } from '../profile.js';
import type { Journal } from '../store/journal.js';
import { defineRecord, readRecord, setRecord } from '../store/records.js';

interface Made {
  readonly identity: TlsIdentity;
  /** Unix seconds by the clock of its making. */
  readonly madeAt: number;
}

/** A certificate is made anew when less than this is left of it. */
const NEAR_END = 3600;

/** The self-signed certificate of the commissioning handshake, its life as the profile says (protocol.md, row "commissioning certificate"). */
export class CommissioningIdentity {
  readonly #crypto: Crypto;
  readonly #journal: Journal;
  readonly #time: TrustedTime;
  readonly #profile: Profile;
  readonly #discriminator: number;
  readonly #log: Log;
  #made: Made | undefined;

  constructor(crypto: Crypto, journal: Journal, time: TrustedTime, profile: Profile, discriminator: number, log: Log) {
    this.#crypto = crypto;
    this.#journal = journal;
    this.#time = time;
    this.#profile = profile;
    this.#discriminator = discriminator;
    this.#log = log;
  }

  get #kept(): boolean {
    return this.#profile['commissioning.certificateKept'] === 'yes';
  }

  /** The certificate in force; made when there is none, or when it is near its end. */
  current(): TlsIdentity {
    const life = Math.floor(this.#profile['commissioning.certificateLife'] / 1000);
    const { now } = this.#time.read();
    if (this.#made === undefined && this.#kept) this.#made = readRecord(this.#journal, this.#record());
    if (this.#made === undefined || now < this.#made.madeAt - life || now > this.#made.madeAt + life - NEAR_END)
      this.#made = this.#make(now, life);
    return this.#made.identity;
  }

  /** The first operational certificate was installed. */
  drop(): void {
    if (!this.#kept) this.#made = undefined;
  }

  #make(now: number, validity: number): Made {
    const key = this.#crypto.generateKey();
    const certificate = createCommissioningCertificate(this.#crypto, { key, discriminator: this.#discriminator, now, validity });
    const made = { identity: { certificate, key }, madeAt: now };
    if (this.#kept) {
      this.#journal
        .commit([setRecord(this.#record(), made)])
        .catch((error: unknown) => this.#log.warn('the commissioning certificate could not be stored', { error }));
    }
    return made;
  }

  #record() {
    const crypto = this.#crypto;
    return defineRecord<Made>({
      key: `commissioning/${this.#discriminator}`,
      encode: ({ identity, madeAt }) =>
        encodeCbor(
          new Map<number, Uint8Array | number>([
            [1, identity.certificate],
            [2, crypto.exportKey(identity.key)],
            [3, madeAt],
          ]),
        ),
      decode: (bytes) => {
        const map = mapOf(decodeCbor(bytes), 'commissioning certificate');
        const key = crypto.importKey(bytesAt(map, 2, 'key', 32));
        return { identity: { certificate: bytesAt(map, 1, 'certificate'), key }, madeAt: integerAt(map, 3, 'made at') };
      },
    });
  }
}
