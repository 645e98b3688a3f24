import { createPrivateKey } from 'node:crypto';
import { nodeKeyPem } from '../node/keys.js';
import { zoneIdOfCa } from '../pki/identities.js';
import type { Crypto, PrivateKey } from '../platform.js';
import { type AdminZone, type ControllerZone, type DeviceAddress, type DeviceRecord, type EndpointRecord, isZoneKind } from './zone.js';

/** The files of a zone folder: JSON, with certificates and keys in PEM, so that openssl can read them. Decoders throw TypeError naming the key. */
const VERSION = 1;

export function encodeZoneFile(zone: ControllerZone): string {
  return pretty({
    version: VERSION,
    type: zone.kind,
    name: zone.name,
    priority: zone.priority,
    createdAt: zone.createdAt,
    caCertificate: certificatePem(zone.caCertificate),
    caKey: nodeKeyPem(zone.caKey),
    controllerCertificate: certificatePem(zone.controllerCertificate),
    controllerKey: nodeKeyPem(zone.controllerKey),
  });
}

export function decodeZoneFile(crypto: Crypto, text: string): ControllerZone {
  const fields = fieldsOf(text);
  const kind = textOf(fields, 'type');
  if (!isZoneKind(kind)) throw wrong('type', 'a zone type');
  const caCertificate = certificateOf(fields, 'caCertificate');
  return {
    kind,
    name: textOf(fields, 'name'),
    priority: numberOf(fields, 'priority'),
    id: zoneIdOfCa(crypto, caCertificate),
    createdAt: numberOf(fields, 'createdAt'),
    caCertificate,
    caKey: keyOf(crypto, fields, 'caKey'),
    controllerCertificate: certificateOf(fields, 'controllerCertificate'),
    controllerKey: keyOf(crypto, fields, 'controllerKey'),
  };
}

export function encodeDeviceFile(record: DeviceRecord): string {
  return pretty({ version: VERSION, ...record, certificate: certificatePem(record.certificate) });
}

export function decodeDeviceFile(text: string): DeviceRecord {
  const fields = fieldsOf(text);
  const optional = <T>(key: string, read: (fields: Fields, key: string) => T): T | undefined =>
    fields[key] === undefined ? undefined : read(fields, key);
  return {
    id: textOf(fields, 'id'),
    zoneId: textOf(fields, 'zoneId'),
    dialect: choiceOf(fields, 'dialect', ['draft', 'reference']),
    state: choiceOf(fields, 'state', ['pending', 'confirmed']),
    certificate: certificateOf(fields, 'certificate'),
    addresses: addressesOf(fields, 'addresses'),
    discriminator: optional('discriminator', numberOf),
    name: optional('name', textOf),
    serial: optional('serial', textOf),
    deviceId: optional('deviceId', textOf),
    endpoints: optional('endpoints', endpointsOf),
    degraded: optional('degraded', flagOf),
    addedAt: numberOf(fields, 'addedAt'),
  };
}

export function encodeAdminFile(zone: AdminZone): string {
  const { kind, caCertificate, token, ...rest } = zone;
  return pretty({
    version: VERSION,
    type: kind,
    ...rest,
    caCertificate: certificatePem(caCertificate),
    token: Buffer.from(token).toString('base64'),
  });
}

export function decodeAdminFile(crypto: Crypto, text: string): AdminZone {
  const fields = fieldsOf(text);
  const kind = textOf(fields, 'type');
  if (!isZoneKind(kind)) throw wrong('type', 'a zone type');
  const caCertificate = certificateOf(fields, 'caCertificate');
  return {
    kind,
    name: textOf(fields, 'name'),
    priority: numberOf(fields, 'priority'),
    id: zoneIdOfCa(crypto, caCertificate),
    caCertificate,
    token: Uint8Array.from(Buffer.from(textOf(fields, 'token'), 'base64')),
    expiresAt: numberOf(fields, 'expiresAt'),
    owner: addressesOf(fields, 'owner'),
    joinedAt: numberOf(fields, 'joinedAt'),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function pretty(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function fieldsOf(text: string): Fields {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new TypeError('not a JSON object');
  const fields = value as Fields;
  if (fields['version'] !== VERSION) throw wrong('version', String(VERSION));
  return fields;
}

function textOf(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value !== 'string') throw wrong(key, 'a text');
  return value;
}

function numberOf(fields: Fields, key: string): number {
  const value = fields[key];
  if (typeof value !== 'number') throw wrong(key, 'a number');
  return value;
}

function choiceOf<T extends string>(fields: Fields, key: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === fields[key]);
  if (choice === undefined) throw wrong(key, choices.join(' or '));
  return choice;
}

function addressesOf(fields: Fields, key: string): readonly DeviceAddress[] {
  const list = fields[key];
  if (!Array.isArray(list)) throw wrong(key, 'a list');
  return list.map((item: Fields) => ({ host: textOf(item, 'host'), port: numberOf(item, 'port') }));
}

function endpointsOf(fields: Fields, key: string): readonly EndpointRecord[] {
  const list = fields[key];
  if (!Array.isArray(list)) throw wrong(key, 'a list');
  return list.map((item: Fields) => {
    const features = item['features'];
    if (!Array.isArray(features) || !features.every((id) => typeof id === 'number')) throw wrong('features', 'a list of numbers');
    const label = item['label'] === undefined ? undefined : textOf(item, 'label');
    return { id: numberOf(item, 'id'), type: numberOf(item, 'type'), label, features };
  });
}

function flagOf(fields: Fields, key: string): boolean {
  if (typeof fields[key] !== 'boolean') throw wrong(key, 'true or false');
  return fields[key];
}

function certificateOf(fields: Fields, key: string): Uint8Array {
  const text = textOf(fields, key).replaceAll(/-----[A-Z ]+-----|\s/g, '');
  return Uint8Array.from(Buffer.from(text, 'base64'));
}

function keyOf(crypto: Crypto, fields: Fields, key: string): PrivateKey {
  const { crv, d } = createPrivateKey(textOf(fields, key)).export({ format: 'jwk' });
  if (crv !== 'P-256' || d === undefined) throw wrong(key, 'a P-256 key');
  return crypto.importKey(new Uint8Array(Buffer.from(d, 'base64url')));
}

function certificatePem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function wrong(key: string, due: string): TypeError {
  return new TypeError(`'${key}': ${due} is due`);
}
