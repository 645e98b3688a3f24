import { PASE_SUITE } from '../crypto/pase-points.js';
import { CODES, DISCRIMINATOR_MAXIMUM } from '../crypto/setup-code.js';
import type { DialectName } from '../dialect/messages.js';
import { CLOCK_SKEW_TOLERANCE } from '../pki/trusted-time.js';
import type { PicsSection } from './format.js';
import { always, days, type PicsSource, type Row, seconds, section } from './source.js';
import { slowsWrongCodes } from './trials.js';

export function understands({ profile }: PicsSource, dialect: DialectName): boolean {
  const allowed = profile['commissioning.dialects'];
  return allowed === 'both' || allowed === dialect;
}

/** Attestation and admin tokens are of the dialect `draft` alone. */
const draft = (source: PicsSource): boolean => understands(source, 'draft');
/** Numbered error messages are of the dialect `reference` alone. */
const reference = (source: PicsSource): boolean => understands(source, 'reference');
const windowLength = ({ profile }: PicsSource): number => seconds(profile['commissioning.window']);
const verifierWait = ({ profile }: PicsSource): number => seconds(profile['commissioning.verifier']);
const csrWait = ({ profile }: PicsSource): number => seconds(profile['commissioning.csrRequest']);
const certificateWait = ({ profile }: PicsSource): number => seconds(profile['commissioning.certificate']);
const slots = ({ device }: PicsSource): number => device.zones.slots;

const COMM: readonly Row<PicsSource>[] = [
  ['', 'commissioning', always],
  ['PASE', 'SPAKE2+', always],
  ['PASE_GROUP', 'its group', () => PASE_SUITE.group],
  ['PASE_HASH', 'its hash', () => PASE_SUITE.hash],
  ['PASE_KDF', 'its key derivation', () => PASE_SUITE.kdf],
  ['PASE_MAC', 'its MAC', () => PASE_SUITE.mac],
  ['WINDOW_DURATION', 'window opened by its user, s', windowLength],
  [
    'WINDOW_DURATION_PAIRING',
    'window opened by a pairing request, s; 0: none opens it',
    (source) => (source.device.heedsPairingRequests ? windowLength(source) : 0),
  ],
  ['SETUP_CODE_BITS', 'entropy of a setup code, bits', () => Math.ceil(Math.log2(CODES))],
  ['DISCRIMINATOR_BITS', 'bits of a discriminator', () => Math.log2(DISCRIMINATOR_MAXIMUM + 1)],
  ['PASE_WAIT_X', 'wait for the first message, s; of no registry', ({ profile }) => seconds(profile['commissioning.firstMessage'])],
  ['PASE_TIMEOUT', 'wait for the verifier, s', verifierWait],
  ['CSR_TIMEOUT', 'wait for CSR_REQ, s', csrWait],
  ['CERT_TIMEOUT', 'wait for the certificate, s', certificateWait],
  ['ATTESTATION', 'ATTESTATION_REQ is answered', draft],
  ['ATTESTATION_CERT', 'with a certificate of the factory', ({ device }) => device.attestation.certificate.length > 0],
  [
    'ERR_ZONE_TYPE_EXISTS',
    'error 10: a zone of this type is there',
    (source) => reference(source) && source.profile['zones.policy'] === 'onePerType',
  ],
  ['ERR_BUSY', 'error 5: busy', reference],
  ['ERR_BUSY_RETRY_AFTER', 'with the time after which to try again', reference],
];

const spaced = (name: string): string => name.split('-').join('');

const PASE: readonly Row<PicsSource>[] = [
  ['GROUP', 'as COMM.PASE_GROUP', () => spaced(PASE_SUITE.group)],
  ['HASH', 'as COMM.PASE_HASH', () => spaced(PASE_SUITE.hash)],
  ['KDF', 'as COMM.PASE_KDF', () => PASE_SUITE.kdf.split('-').join('_')],
  ['WINDOW_DURATION', 'as COMM.WINDOW_DURATION', windowLength],
  ['PASE_TIMEOUT', 'as COMM.PASE_TIMEOUT', verifierWait],
  ['CSR_TIMEOUT', 'as COMM.CSR_TIMEOUT', csrWait],
  ['CERT_TIMEOUT', 'as COMM.CERT_TIMEOUT', certificateWait],
  ['MAX_ZONES', 'zone slots', slots],
  ['MAX_CONCURRENT', 'commissionings at a time: one holds the lock', () => 1],
  ['ATTESTATION', 'as COMM.ATTESTATION', draft],
  ['ADMIN_DELEGATION', 'admin tokens are judged', draft],
  ['RETRY_LIMIT', 'wrong codes until it is locked; 0: never', () => 0],
  ['RETRY_BACKOFF', 'wrong codes are slowed down', ({ profile }) => slowsWrongCodes(profile)],
];

const CERT: readonly Row<PicsSource>[] = [
  ['', 'certificates', always],
  ['X509V3', 'X.509 version 3', always],
  ['ECDSA_P256', 'ECDSA with P-256', always],
  ['MAX_ZONES', 'zones with a certificate', slots],
  ['PERSISTENT', 'certificates outlive a restart', always],
  ['OP_VALIDITY', 'longest validity of an operational certificate, days; 0: as its zone issues it', () => 0],
  ['RENEWAL_WINDOW', 'renewal is due before its end, days', ({ profile }) => days(profile['certificates.renewalWindow'])],
  ['IN_SESSION_RENEWAL', 'renewal within the operational connection', always],
  ['GRACE_PERIOD', 'served after its end, days', ({ profile }) => days(profile['certificates.grace'])],
  ['CLOCK_SKEW_TOLERANCE', 'clocks may differ, s', () => CLOCK_SKEW_TOLERANCE],
  ['VALIDATES_CHAIN', 'the chain to the Zone CA is checked', always],
  ['CHECKS_KEY_USAGE', 'keyUsage and extKeyUsage are checked', always],
];

export function commissioningSections(source: PicsSource): readonly PicsSection[] {
  return [
    section('Commissioning (pics-registry §3)', 'MASH.S.COMM', COMM, source),
    section('PASE (commissioning-pase §10)', 'MASH.S.PASE', PASE, source),
    section('Certificates (pics-registry §4, connection-establishment §8)', 'MASH.S.CERT', CERT, source),
  ];
}
