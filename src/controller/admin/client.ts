import { ShapeError } from '../../codec/shape.js';
import type { SetupCode } from '../../crypto/setup-code.js';
import { draftDialect } from '../../dialect/dialect.js';
import { statusName } from '../../dialect/messages.js';
import { AdminTokenError, verifyAdminToken } from '../../pki/admin-token.js';
import { type Certificate, parseCertificate } from '../../pki/certificate.js';
import { CertificateError } from '../../pki/certificate-error.js';
import { parseCsr } from '../../pki/csr.js';
import { deviceIdOfKey, zoneIdOfCa } from '../../pki/identities.js';
import { attributeValues, commonName } from '../../pki/name.js';
import { OID } from '../../pki/oid.js';
import { commissioningCommonName } from '../../pki/self-signed.js';
import { checkControllerCertificate, checkDeviceCertificate, checkZoneCa } from '../../pki/verify.js';
import { ZoneType } from '../../zones/zone.js';
import { connectFirst } from '../addresses.js';
import { CommissioningChannel } from '../channel.js';
import { Conversation } from '../conversation.js';
import { ControllerError } from '../errors.js';
import type { ControllerParts } from '../operational.js';
import type { ClientConnection } from '../transport.js';
import { type AdminZone, type DeviceAddress, ZONE_KINDS, type ZoneKind } from '../zone.js';
import type { IssuedCertificate } from '../zone-authority.js';
import { type AdminAnswer, type AdminRequest, decodeAdminAnswer, encodeAdmin } from './messages.js';

const ANSWER_TIMEOUT = 15_000;

export interface JoinOptions {
  readonly code: SetupCode;
  /** 0…4095, of the owner's QR code. */
  readonly discriminator: number | undefined;
  /** Where the owner is; nothing is looked for then. */
  readonly address: DeviceAddress | undefined;
  /** How the owner's list is to call us. */
  readonly name: string | undefined;
}

/**
 * Becomes an admin of a zone (protocol.md §2.12): draft PASE with the code that its owner shows, then a token. Rejects with ControllerError:
 * WRONG_CODE, WINDOW_CLOSED for a code whose time is over, NOT_TRUSTED for a token that does not hold under the Zone CA that came with it.
 */
export async function joinZone(parts: ControllerParts, options: JoinOptions): Promise<AdminZone> {
  const { crypto } = parts;
  const addresses = options.address === undefined ? await locate(parts, options.discriminator) : [options.address];
  const expected = options.address === undefined ? options.discriminator : undefined;
  const { connection, address } = await connect(parts, addresses, 'commissioning', (certificate) => {
    if (expected !== undefined && commonName(certificate.subject) !== commissioningCommonName(expected))
      throw new ControllerError('NOT_TRUSTED', `The certificate is not for '${commissioningCommonName(expected)}'`);
  });
  const channel = new CommissioningChannel(connection.stream, draftDialect, parts.clock);
  try {
    await new Conversation(channel, crypto).pase(options.code);
    const request: AdminRequest = { type: 'adminReq', ...(options.name === undefined ? {} : { name: options.name }) };
    const answer = await ask(channel, request, 'adminRsp');
    return judgeToken(parts, answer, address);
  } catch (error) {
    throw asOwner(error);
  } finally {
    await channel.end();
  }
}

/**
 * Has the owner sign a device's CSR, at its last address or where it is announced now. The owner proves itself by the certificate of its
 * controller before the token is sent. Rejects with ControllerError: REFUSED for a token that was revoked or has expired.
 */
export async function signThroughOwner(parts: ControllerParts, zone: AdminZone, csr: Uint8Array): Promise<IssuedCertificate> {
  const { crypto, clock } = parts;
  const ca = parseCertificate(crypto, zone.caCertificate);
  const time = timeOf(parts);
  const isOwner = (certificate: Certificate): void => {
    checkControllerCertificate(crypto, { certificate, zones: [{ zoneId: zone.id, ca }], time });
  };
  const { connection } = await connectOwner(parts, zone, isOwner);
  const channel = new CommissioningChannel(connection.stream, draftDialect, clock);
  try {
    const { certificate } = await ask(channel, { type: 'adminSign', csr, token: zone.token }, 'adminSigned');
    const { publicKey } = parseCsr(crypto, csr);
    checkDeviceCertificate(crypto, { certificate: parseCertificate(crypto, certificate), ca, expectedPublicKey: publicKey, time });
    return { certificate, deviceId: commonName(parseCertificate(crypto, certificate).subject) ?? deviceIdOfKey(crypto, publicKey) };
  } catch (error) {
    throw asOwner(error);
  } finally {
    await channel.end();
  }
}

/** At its last address, else where it is announced now; there it is remembered. */
async function connectOwner(parts: ControllerParts, zone: AdminZone, judge: (certificate: Certificate) => void) {
  try {
    return await connect(parts, zone.owner, 'owner', judge);
  } catch (error) {
    if (!(error instanceof ControllerError)) throw error;
    parts.log.info('the owner is not at its last address', { reason: error.message });
    const addresses = await (await parts.resolver()).findOwner({ zoneId: zone.id }).catch((unfound: unknown) => {
      // What answered at the known address says more than that nothing can be heard.
      throw error.code === 'NOT_TRUSTED' ? error : unfound;
    });
    const found = await connect(parts, addresses, 'owner', judge);
    await parts.store.putAdmin({ ...zone, owner: [found.address] });
    return found;
  }
}

async function locate(parts: ControllerParts, discriminator: number | undefined): Promise<readonly DeviceAddress[]> {
  if (discriminator === undefined)
    throw new ControllerError('UNKNOWN_DEVICE', 'The code alone does not tell where the owner is', {
      suggestions: ['Give the whole QR code', 'Give --discriminator or --address'],
    });
  const resolver = await parts.resolver();
  return resolver.findOwner({ discriminator });
}

/** At the first address that is really the owner's. */
async function connect(
  parts: ControllerParts,
  addresses: readonly DeviceAddress[],
  kind: 'commissioning' | 'owner',
  judge: (certificate: Certificate) => void,
): Promise<{ connection: ClientConnection; address: DeviceAddress }> {
  let refused: unknown;
  const reached = await connectFirst(
    parts.clock,
    addresses,
    async (address, signal) => {
      const connection = await parts.transport.connect(address, { kind }, signal);
      try {
        judge(parseCertificate(parts.crypto, connection.certificate));
      } catch (error) {
        connection.stream.destroy();
        refused = asOwner(error);
        throw refused;
      }
      return connection;
    },
    (late) => late.stream.destroy(),
    (reasons) =>
      new ControllerError('CONNECTION_FAILED', `The owner of the zone does not answer (${reasons.join('; ') || 'no address is known'})`),
  ).catch((error: unknown) => {
    throw error instanceof ControllerError && error.code === 'NOT_TRUSTED' ? (refused ?? error) : asOwner(error);
  });
  return { connection: reached.value, address: reached.address };
}

/** The answer of that type; a refusal and anything else reject. */
async function ask<T extends AdminAnswer['type']>(
  channel: CommissioningChannel,
  request: AdminRequest,
  type: T,
): Promise<Extract<AdminAnswer, { type: T }>> {
  const answer = decodeAdminAnswer(await channel.ask(encodeAdmin(request), type, ANSWER_TIMEOUT));
  if (answer.type === 'adminError') {
    const status = statusName(answer.status);
    throw new ControllerError('REFUSED', `The owner refuses: ${status}${answer.text === undefined ? '' : ` (${answer.text})`}`, { status });
  }
  if (answer.type !== type) throw new ControllerError('PROTOCOL', `The owner sent ${answer.type} where ${type} is due`);
  return answer as Extract<AdminAnswer, { type: T }>;
}

function judgeToken(parts: ControllerParts, answer: Extract<AdminAnswer, { type: 'adminRsp' }>, address: DeviceAddress): AdminZone {
  const { crypto } = parts;
  const time = timeOf(parts);
  const ca = parseCertificate(crypto, answer.ca);
  checkZoneCa(crypto, ca, time);
  const token = verifyAdminToken(crypto, answer.token, { ca, time });
  const { kind, name } = zoneOf(ca, answer.zoneType);
  return {
    kind,
    name,
    priority: answer.priority ?? ZONE_KINDS[kind].draft ?? 4,
    id: zoneIdOfCa(crypto, answer.ca),
    caCertificate: answer.ca,
    token: answer.token,
    expiresAt: token.expiresAt,
    owner: [address],
    joinedAt: time.now,
  };
}

/** Type as the owner says, else as the Zone CA's OU does (protocol.md §3): GRID is the grid operator, everything else the home. */
function zoneOf(ca: Certificate, zoneType: number | undefined): { kind: ZoneKind; name: string } {
  const units = attributeValues(ca.subject, OID.organizationalUnit);
  const type = zoneType ?? (units.includes('GRID') ? ZoneType.GRID_OPERATOR : ZoneType.HOME_MANAGER);
  const kind = (Object.keys(ZONE_KINDS) as ZoneKind[]).find((candidate) => ZONE_KINDS[candidate].draft === type) ?? 'home';
  return { kind, name: units.find((unit) => unit !== 'GRID' && unit !== 'LOCAL') ?? commonName(ca.subject) ?? '' };
}

function timeOf({ clock }: ControllerParts) {
  return { quality: 'synchronised', now: Math.floor(clock.wall() / 1000) } as const;
}

/** What goes wrong with the owner, in words that do not speak of a device. */
function asOwner(error: unknown): unknown {
  if (error instanceof CertificateError || error instanceof AdminTokenError)
    return new ControllerError('NOT_TRUSTED', `This is not the owner of the zone: ${error.message}`);
  if (error instanceof ShapeError) return new ControllerError('PROTOCOL', `The owner sent no message of an owner: ${error.message}`);
  if (!(error instanceof ControllerError)) return error;
  if (error.code === 'WRONG_CODE')
    return new ControllerError('WRONG_CODE', 'The owner does not know this code: it is wrong, or this is not the owner', {
      suggestions: ['Compare the code with the one that the owner shows'],
    });
  if (error.code === 'WINDOW_CLOSED' || (error.code === 'REFUSED' && error.details.status === 'TIMEOUT'))
    return new ControllerError('WINDOW_CLOSED', 'The code of the owner is used up, or its five minutes are over', {
      suggestions: ["Ask for a new one: 'mash-controller admin open'"],
    });
  return error;
}
