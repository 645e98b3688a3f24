import { networkInterfaces } from 'node:os';
import { Option } from 'commander';
import { formatTarget, lacksScope, parseTarget } from '../controller/addresses.js';
import type { AttestationPolicy } from '../controller/attestation.js';
import { attributeNames, attributeNumber } from '../controller/names.js';
import { isPath, parsePath, unknownName } from '../controller/path.js';
import { PERMISSIONS, type Permission } from '../controller/token.js';
import type { DeviceAddress, ZoneKind } from '../controller/zone.js';
import { parseQr } from '../crypto/qr.js';
import { parseSetupCode, type SetupCode } from '../crypto/setup-code.js';
import type { DialectName } from '../dialect/messages.js';
import { ConfigError, closest } from '../errors.js';
import { DEVICE_INFO } from '../features/device-info-table.js';
import { checkRules, type InterfaceChoice, interfaceKind, isInterfaceName, judge } from '../node/interface-choice.js';

/** Options that every command has. */
export interface GlobalOptions {
  readonly zone: string;
  readonly zoneType?: ZoneKind;
  readonly zoneName?: string;
  readonly priority?: number;
  readonly dialect: DialectName;
  readonly interface?: readonly string[];
  readonly denyInterface?: readonly string[];
  /** mW, one after the other. */
  readonly exposeMeter?: readonly number[];
  readonly json?: boolean;
  readonly verbose?: boolean;
}

export interface CommissionArguments {
  readonly discriminator?: number;
  readonly address?: DeviceAddress;
  readonly operationalPort?: number;
  readonly attestation?: AttestationPolicy;
  /** Paths of files. */
  readonly attestationCa?: string;
  readonly adminToken?: string;
  /** Minutes. */
  readonly wait?: number;
}

export interface TokenArguments {
  readonly out: string;
  readonly days: number;
  readonly permissions: readonly Permission[];
}

/** What `commission` is to do, contradictions excluded. */
export interface CommissionPlan {
  readonly code: SetupCode;
  readonly discriminator: number | undefined;
  readonly vendorId: number | undefined;
  readonly productId: number | undefined;
  readonly address: DeviceAddress | undefined;
  readonly operationalPort: number | undefined;
}

/** Reads the QR code's text, or the eight digits alone. Throws ConfigError, which never repeats the code. */
export function planCommission(text: string, given: CommissionArguments, global: GlobalOptions): CommissionPlan {
  const trimmed = text.trim();
  const label = trimmed.includes(':') ? parseQr(trimmed) : { code: parseSetupCode(trimmed, {}, 'setup code') };
  const printed = 'discriminator' in label ? label.discriminator : undefined;
  if (given.discriminator !== undefined && printed !== undefined && given.discriminator !== printed)
    throw new ConfigError('--discriminator', `${given.discriminator} contradicts the QR code, which says ${printed}; leave the option out`);
  if (given.operationalPort !== undefined && given.address === undefined)
    throw new ConfigError('--operational-port', 'goes with --address; without it the port is announced by multicast');
  if (global.priority !== undefined && global.dialect === 'reference')
    throw new ConfigError('--priority', 'contradicts --dialect reference, whose zones have the priority of their type');
  checkDelegation(given, global);
  return {
    code: label.code,
    discriminator: given.discriminator ?? printed,
    vendorId: 'vendorId' in label ? label.vendorId : undefined,
    productId: 'productId' in label ? label.productId : undefined,
    address: given.address === undefined ? undefined : scoped(given.address, global.interface),
    operationalPort: given.operationalPort,
  };
}

/** Attestation and admin tokens are of the draft dialect; nothing can be required of a chain that nobody can verify. */
function checkDelegation({ attestation, attestationCa, adminToken }: CommissionArguments, { dialect }: GlobalOptions): void {
  if (attestation === 'require' && attestationCa === undefined)
    throw new ConfigError('--attestation', "'require' needs the manufacturer's CA: --attestation-ca FILE");
  if (dialect === 'draft') return;
  if (adminToken !== undefined) throw new ConfigError('--admin-token', 'contradicts --dialect reference, which has no admin tokens');
  if (attestation !== undefined || attestationCa !== undefined)
    throw new ConfigError('--attestation', 'contradicts --dialect reference, which has no attestation');
}

/** `commission,view`. Throws ConfigError naming the closest. */
export function permissionsArgument(text: string): readonly Permission[] {
  const choose = choiceArgument('--permissions', Object.keys(PERMISSIONS));
  return text.split(',').map((name) => choose(name.trim()) as Permission);
}

/** `HOST:PORT`. Throws ConfigError. */
export function addressArgument(text: string): DeviceAddress {
  const address = parseTarget(text);
  if (address === undefined)
    throw new ConfigError('--address', `'${text}' is not HOST:PORT; an IPv6 address stands in brackets: [fd00::1]:8444`);
  return address;
}

/** connection-establishment §6.4: a link-local address needs its interface. */
function scoped(address: DeviceAddress, interfaces: readonly string[] | undefined): DeviceAddress {
  if (!lacksScope(address)) return address;
  const [only = '', ...more] = interfaces ?? [];
  if (more.length > 0 || !isInterfaceName(only)) {
    const shown = formatTarget({ ...address, host: `${address.host}%eth0` });
    throw new ConfigError('--address', `a link-local address needs its interface: ${shown}, or one --interface by name`);
  }
  return { ...address, host: `${address.host}%${only}` };
}

/** `eth0`, `eth*` or `kind:wireless`, or several with commas; the option may be repeated. Throws ConfigError. */
export function interfacesArgument(option: string): (text: string, before?: readonly string[]) => readonly string[] {
  return (text, before = []) => {
    const rules = text.split(',').map((rule) => rule.trim());
    if (rules.includes('')) throw new ConfigError(option, 'an empty name');
    checkRules(option, rules);
    return [...before, ...rules];
  };
}

/** Throws ConfigError for an interface that is not up, naming the closest that is, and where nothing that is up is left. */
export function checkInterfaces({ allow, deny }: InterfaceChoice): void {
  const up = Object.keys(networkInterfaces());
  for (const name of (allow ?? []).filter(isInterfaceName)) {
    if (!up.includes(name))
      throw new ConfigError('--interface', `no interface '${name}' is up; the closest is '${closest(name, up) ?? 'none'}'`);
  }
  if (allow !== undefined && !up.some((name) => judge({ allow, deny }, name, interfaceKind(name)) === 'used'))
    throw new ConfigError(
      '--interface',
      `nothing that is up fits ${allow.join(', ')}${deny === undefined ? '' : ', what is denied left out'}`,
    );
}

export function choiceArgument(option: string, choices: readonly string[]): (text: string) => string {
  return (text) => {
    if (choices.includes(text)) return text;
    throw new ConfigError(option, `'${text}' is none of ${choices.join(', ')}; the closest is '${closest(text, choices)}'`);
  };
}

/** An option that shows its choices in the help, and names the closest one for a word that is none. */
export function choice(flag: string, value: string, text: string, choices: readonly string[]): Option {
  return new Option(`${flag} <${value}>`, text).choices(choices).argParser(choiceArgument(flag, choices));
}

/** A whole number within a range. Throws ConfigError. */
export function numberArgument(option: string, minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= minimum && value <= maximum)) throw new ConfigError(option, `'${text}' is not a number of ${minimum}…${maximum}`);
    return value;
  };
}

/** What `read` is to read. */
export interface ReadPlan {
  /** As given; undefined for the only device of the zone. */
  readonly device: string | undefined;
  /** Undefined: the one that has the feature. */
  readonly endpoint: number | undefined;
  readonly feature: number;
  readonly attributes: readonly number[] | undefined;
}

/** `[DEVICE] [PATH]`: what has a slash or is a feature's name is the path. Throws ConfigError naming the closest right name. */
export function planRead(first: string | undefined, second: string | undefined): ReadPlan {
  const firstIsPath = isPath(first);
  if (firstIsPath && second !== undefined) throw new ConfigError('read', 'the device comes before the path');
  const device = firstIsPath ? undefined : first;
  const path = firstIsPath ? first : second;
  if (path === undefined) return { device, endpoint: 0, feature: DEVICE_INFO.id, attributes: undefined };
  return { device, ...planAttributes(path) };
}

/** `[ENDPOINT/]FEATURE[/ATTRIBUTE]`. Throws ConfigError naming the closest right name. */
export function planAttributes(text: string): Omit<ReadPlan, 'device'> {
  const { endpoint, feature, name } = parsePath(text);
  if (name === undefined) return { endpoint, feature, attributes: undefined };
  const attribute = attributeNumber(feature, name);
  if (attribute === undefined) throw unknownName('attribute', name, attributeNames(feature));
  return { endpoint, feature, attributes: [attribute] };
}
