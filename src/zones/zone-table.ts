import { toHex } from '../codec/hex.js';
import type { DialectName } from '../dialect/messages.js';
import { StoreError } from '../errors.js';
import { type Certificate, parseCertificate } from '../pki/certificate.js';
import { sameId } from '../pki/identities.js';
import type { Crypto, Log, PrivateKey } from '../platform.js';
import type { Journal } from '../store/journal.js';
import { MAX_VALUE_BYTES } from '../store/layout.js';
import { decodeZone, encodeZone, type Zone, ZoneType } from './zone.js';

export interface ZoneLimits {
  /** Slots, TEST zones not counted. */
  readonly slots: number;
  /** `onePerType`: one zone of each type (profile `reference`). */
  readonly policy: 'any' | 'onePerType';
}

export interface NewZone {
  readonly id: string;
  readonly type: number;
  readonly priority: number;
  readonly dialect: DialectName;
  readonly deviceId: string;
  readonly name: string;
  readonly addedAt: number;
  readonly authority: Certificate;
  readonly certificate: Uint8Array;
  readonly key: PrivateKey;
  readonly adminToken?: Uint8Array;
}

const PREFIX = 'zone/';
/** More than any profile's slots and TEST zones. */
const SLOTS = 32;

/** The zones of the device: read back before the first connection is accepted, changed only by a commit that survives a power cut. */
export class ZoneTable {
  readonly #crypto: Crypto;
  readonly #journal: Journal;
  readonly #limits: ZoneLimits;
  readonly #zones = new Map<number, Zone>();
  readonly #authorities = new Map<number, Certificate>();
  readonly #unreadable = new Set<number>();
  /** Slots into which a zone is being committed. */
  readonly #coming = new Set<number>();
  /** Slots whose removal is being committed: nothing may be written into them after it. */
  readonly #leaving = new Set<number>();

  /** Reads every slot. One that cannot be read is reported and its slot stays taken: it is not "never commissioned". */
  constructor(crypto: Crypto, journal: Journal, limits: ZoneLimits, log: Log) {
    this.#crypto = crypto;
    this.#journal = journal;
    this.#limits = limits;
    for (let slot = 0; slot < SLOTS; slot++) {
      const key = PREFIX + slot;
      const bytes = journal.get(key);
      if (bytes === undefined && !journal.isDamaged(key)) continue;
      try {
        if (bytes === undefined) throw new Error('its record was damaged');
        const zone = decodeZone(crypto, slot, bytes);
        this.#authorities.set(slot, parseCertificate(crypto, zone.caCertificate));
        this.#zones.set(slot, zone);
      } catch (error) {
        this.#unreadable.add(slot);
        log.error('a zone slot cannot be read', { slot, reason: error instanceof Error ? error.message : String(error) });
      }
    }
  }

  /** In the order of their slots. */
  get all(): readonly Zone[] {
    return [...this.#zones.values()].sort((a, b) => a.slot - b.slot);
  }

  /** Without those whose removal is being committed: the next commit comes after it, and no connection of theirs begins any more. */
  get staying(): readonly Zone[] {
    return this.all.filter((zone) => !this.#leaving.has(zone.slot));
  }

  get count(): number {
    return this.#zones.size;
  }

  /** Slots that hold a zone which cannot be read. */
  get unreadable(): number {
    return this.#unreadable.size;
  }

  /** Among `staying`. */
  byId(id: string): Zone | undefined {
    return this.staying.find((zone) => sameId(zone.id, id));
  }

  authority(zone: Zone): Certificate {
    return this.#authorities.get(zone.slot) as Certificate;
  }

  /** How many zones have room, TEST zones not counted. */
  get slots(): number {
    return this.#limits.slots;
  }

  get full(): boolean {
    return this.#taken() >= this.#limits.slots;
  }

  /** A zone whose CA has this public key, in whichever dialect and DER (protocol.md §2.10). */
  withAuthorityKey(publicKey: Uint8Array): Zone | undefined {
    const key = toHex(publicKey);
    return this.staying.find((zone) => toHex(this.authority(zone).publicKey) === key);
  }

  /** True when the policy allows no further zone of this type. */
  typeTaken(type: number): boolean {
    return this.#limits.policy === 'onePerType' && this.staying.some((zone) => zone.type === type);
  }

  /** Commits the zone into the first free slot. Rejects with StoreError; nothing has changed then. */
  async add(zone: NewZone): Promise<Zone> {
    if (this.full && zone.type !== ZoneType.TEST) throw new StoreError('full', 'all zone slots are taken');
    let slot = 0;
    while ([this.#zones, this.#unreadable, this.#coming].some((taken) => taken.has(slot))) slot += 1;
    const order = this.all.reduce((last, { order }) => Math.max(last, order), 0) + 1;
    const { authority, ...rest } = zone;
    const added: Zone = { ...rest, caCertificate: authority.raw, slot, order };
    this.#coming.add(slot);
    try {
      await this.#store(added);
    } finally {
      this.#coming.delete(slot);
    }
    this.#authorities.set(slot, authority);
    this.#zones.set(slot, added);
    return added;
  }

  /** Replaces certificate and key of a zone in one commit; everything else stays. Rejects with StoreError; nothing has changed then. */
  async replace(zone: Zone, renewed: Pick<Zone, 'certificate' | 'key'> & { readonly sequence: number }): Promise<Zone> {
    if (this.#zones.get(zone.slot) !== zone || this.#leaving.has(zone.slot)) throw new StoreError('closed', 'the zone was removed');
    const { certificate, key, sequence } = renewed;
    const next: Zone = { ...zone, certificate, key, sequence };
    await this.#store(next);
    this.#zones.set(zone.slot, next);
    return next;
  }

  /** Removes the slot with its certificate and key, unless that is under way already. Rejects with StoreError; nothing has changed then. */
  async remove(zone: Zone): Promise<void> {
    if (this.#zones.get(zone.slot)?.id !== zone.id || this.#leaving.has(zone.slot)) return;
    this.#leaving.add(zone.slot);
    try {
      await this.#journal.commit([{ key: PREFIX + zone.slot, value: null }]);
      this.#zones.delete(zone.slot);
      this.#authorities.delete(zone.slot);
    } finally {
      this.#leaving.delete(zone.slot);
    }
  }

  async #store(zone: Zone): Promise<void> {
    const value = encodeZone(this.#crypto, zone);
    // Two certificates of nearly 8 KiB each.
    if (value.length > MAX_VALUE_BYTES) throw new StoreError('full', `a zone of ${value.length} bytes does not fit a record`);
    await this.#journal.commit([{ key: PREFIX + zone.slot, value }]);
  }

  #taken(): number {
    return this.staying.filter((zone) => zone.type !== ZoneType.TEST).length + this.#unreadable.size;
  }
}
