import { type CborValue, decodeCbor, encodeCbor } from '../codec/cbor.js';
import { toHex } from '../codec/hex.js';
import { bytesAt, integerAt, mapOf, textAt } from '../codec/shape.js';
import { utf8Decode } from '../codec/utf8.js';
import { DISCRIMINATOR_MAXIMUM, generateDiscriminator, generateSetupCode, parseSetupCode, type SetupCode } from '../crypto/setup-code.js';
import { type PaseVerifier, verifierFromSetupCode } from '../crypto/spake2plus.js';
import type { DialectName } from '../dialect/messages.js';
import type { BoardDefinition } from '../model/board.js';
import type { Crypto, Log } from '../platform.js';
import { Secret } from '../secret.js';
import type { Change, Journal } from '../store/journal.js';
import { defineRecord, readRecord, setRecord } from '../store/records.js';
import { attestationRecord } from './attestation.js';
import { countersRecord } from './counters.js';

/** What a device is, whatever zones it belongs to: generated once, kept in the journal, untouched by a factory reset. */
export interface DeviceIdentity {
  readonly serialNumber: string;
  /** 0…4095. */
  readonly discriminator: number;
  /** Four bytes for the host name. */
  readonly hostSeed: Uint8Array;
  readonly setupCode: SetupCode;
  readonly verifiers: Readonly<Record<DialectName, PaseVerifier>>;
}

/** From the command line or the factory; what is not given is generated once. */
export interface IdentityOptions {
  readonly setupCode?: SetupCode;
  readonly discriminator?: number;
}

interface Identity {
  readonly serialNumber: string;
  readonly discriminator: number;
  readonly hostSeed: Uint8Array;
}

const GENERATED_KEYS = ['identity', 'setup/code', 'setup/draft', 'setup/reference'] as const;

/** Keys that a factory reset keeps. */
export const IDENTITY_KEYS = [...GENERATED_KEYS, attestationRecord.key, countersRecord.key] as const;

const identityRecord = defineRecord<Identity>({
  key: 'identity',
  encode: ({ serialNumber, discriminator, hostSeed }) =>
    encodeCbor(
      new Map<number, CborValue>([
        [1, serialNumber],
        [2, discriminator],
        [3, hostSeed],
      ]),
    ),
  decode: (bytes) => {
    const map = mapOf(decodeCbor(bytes), 'identity');
    return {
      serialNumber: textAt(map, 1, 'serial number'),
      discriminator: integerAt(map, 2, 'discriminator', 0, DISCRIMINATOR_MAXIMUM),
      hostSeed: bytesAt(map, 3, 'host seed', 4),
    };
  },
});

const setupCodeRecord = defineRecord<SetupCode>({
  key: 'setup/code',
  encode: (code) => code.expose(),
  decode: (bytes) => parseSetupCode(utf8Decode(bytes) ?? '', { allowTrivial: true }),
});

/** One verifier per dialect, apart from the code (protocol.md §2.2). */
function verifierRecord(dialect: DialectName) {
  return defineRecord<PaseVerifier>({
    key: `setup/${dialect}`,
    encode: ({ w0, L }) =>
      encodeCbor(
        new Map([
          [1, w0.expose()],
          [2, L.expose()],
        ]),
      ),
    decode: (bytes) => {
      const map = mapOf(decodeCbor(bytes), 'verifier');
      return { dialect, w0: new Secret(bytesAt(map, 1, 'w0', 32)), L: new Secret(bytesAt(map, 2, 'L', 65)) };
    },
  });
}

/** Reads the identity, generates what is missing, and commits what changed before anything of it is used. Rejects with StoreError. */
export async function loadIdentity(
  journal: Journal,
  crypto: Crypto,
  board: BoardDefinition,
  options: IdentityOptions,
  log: Log,
): Promise<DeviceIdentity> {
  const changes: Change[] = [];
  const stored = readRecord(journal, identityRecord);
  const identity: Identity = {
    serialNumber: stored?.serialNumber ?? board.serialPrefix + toHex(crypto.bytes(4)).toUpperCase(),
    discriminator: options.discriminator ?? stored?.discriminator ?? generateDiscriminator(crypto),
    hostSeed: stored?.hostSeed ?? crypto.bytes(4),
  };
  if (stored === undefined || stored.discriminator !== identity.discriminator) changes.push(setRecord(identityRecord, identity));
  const storedCode = readRecord(journal, setupCodeRecord);
  const setupCode = options.setupCode ?? storedCode ?? generateSetupCode(crypto);
  const newCode = storedCode === undefined || !crypto.equal(storedCode.expose(), setupCode.expose());
  if (newCode) changes.push(setRecord(setupCodeRecord, setupCode));
  const verifier = (dialect: DialectName): PaseVerifier => {
    const record = verifierRecord(dialect);
    const kept = newCode ? undefined : readRecord(journal, record);
    if (kept !== undefined) return kept;
    const made = verifierFromSetupCode(crypto, dialect, setupCode);
    changes.push(setRecord(record, made));
    return made;
  };
  const verifiers = { draft: verifier('draft'), reference: verifier('reference') };
  // A record that was lost to damage is not a new device: whoever has its label must hear of it.
  for (const key of GENERATED_KEYS)
    if (journal.isDamaged(key)) log.error('an identity record was damaged and made anew; the label may no longer match', { key });
  if (changes.length > 0) await journal.commit(changes);
  return { ...identity, setupCode, verifiers };
}
