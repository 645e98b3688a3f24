import type { Command } from 'commander';
import { formatTarget } from '../../controller/addresses.js';
import { AdminRegister } from '../../controller/admin/register.js';
import { writeAtomically } from '../../controller/atomic-file.js';
import { ATTESTATION_POLICIES } from '../../controller/attestation.js';
import type { CommissionableDevice } from '../../controller/commissionable.js';
import { type Commissioned, commission } from '../../controller/commissioning.js';
import { namedValues } from '../../controller/names.js';
import { openOrCreateZone } from '../../controller/open-zone.js';
import { shownValues } from '../../controller/quantities.js';
import type { SearchOptions } from '../../controller/resolver.js';
import { issueToken, PERMISSIONS } from '../../controller/token.js';
import { ConfigError } from '../../errors.js';
import { DEVICE_INFO } from '../../features/device-info-table.js';
import { readCommissionFiles } from '../commission-files.js';
import type { Choose, ControllerContext, Outcome } from '../controller-context.js';
import {
  addressArgument,
  type CommissionArguments,
  choice,
  type GlobalOptions,
  numberArgument,
  permissionsArgument,
  planCommission,
  type TokenArguments,
} from '../controller-options.js';
import { isoTime, stepText, table, valuesText } from '../controller-output.js';
import { shownRecord } from './zone.js';

/** discover, commission, token. */
export function describeCommissioning(program: Command, choose: Choose): void {
  program
    .command('discover')
    .description('list the devices whose commissioning window is open')
    .option('--discriminator <number>', 'only that one', numberArgument('--discriminator', 0, 4095))
    .action((options: { discriminator?: number }) => choose((context) => discover(context, options.discriminator)));
  program
    .command('commission')
    .description('add a device to the zone (which is created at its first use) and print its DeviceInfo')
    .argument('<qr-or-code>', "the QR code's text (4 or 6 fields), or the eight digits alone")
    .option('--discriminator <number>', 'of the device, beside the eight digits', numberArgument('--discriminator', 0, 4095))
    .option('--address <host:port>', 'where the device is; nothing is looked for then', addressArgument)
    .option('--operational-port <number>', 'beside --address, where it is not 8443', numberArgument('--operational-port', 1, 65_535))
    .addOption(choice('--attestation', 'policy', "what to ask of the device's attestation (default: accept)", ATTESTATION_POLICIES))
    .option('--attestation-ca <file>', 'manufacturer CAs (PEM, or one as DER) that its chain must end at')
    .option(
      '--wait <minutes>',
      'go on looking this long for a device that is not there yet, and ask it to open its window',
      numberArgument('--wait', 1, 10_080),
    )
    .option('--admin-token <file>', "token of the zone's owner to send along")
    .action((text: string, options: CommissionArguments) => choose((context) => addDevice(context, text, options)));
  program
    .command('token')
    .description("issue an admin token of the zone: an admin's licence, which devices verify")
    .requiredOption('--out <file>', 'where to write it (CBOR)')
    .option('--days <number>', 'how long it holds', numberArgument('--days', 1, 3650), 30)
    .option('--permissions <names>', `of ${Object.keys(PERMISSIONS).join(', ')}; with commas`, permissionsArgument, ['commission'] as const)
    .action((options: TokenArguments) => choose((context) => token(context, options)));
}

async function discover(context: ControllerContext, discriminator: number | undefined): Promise<Outcome> {
  const found = await (await context.resolver()).discover(discriminator);
  const rows = found.map((device) => [
    `MASH-${device.discriminator}`,
    [device.brand, device.model].filter((text) => text !== undefined).join(' ') || (device.deviceType ?? '-'),
    device.serial ?? '-',
    device.addresses.map(formatTarget).join(' '),
  ]);
  return { value: { commissionable: found.map(shownDevice) }, text: table([['DEVICE', 'MODEL', 'SERIAL', 'ADDRESSES'], ...rows]) };
}

async function addDevice(context: ControllerContext, text: string, given: CommissionArguments): Promise<Outcome> {
  const { options, parts } = context;
  const plan = planCommission(text, given, options);
  const files = await readCommissionFiles(parts.crypto, given);
  const { zoneType, zoneName, priority, dialect } = options;
  const admin = await context.store.loadAdmin();
  if (admin !== undefined) checkAdmin(options, given);
  const { zone, created } =
    admin === undefined
      ? await openOrCreateZone(parts, { kind: zoneType, name: zoneName, priority, dialect })
      : { zone: admin, created: false };
  if (created) context.progress(`zone '${zone.name}' (${zone.kind}) created in ${context.store.folder}`);
  const search: SearchOptions = {
    onWarning: ({ message, suggestions }) =>
      context.progress([message, ...suggestions.map((suggestion) => `  - ${suggestion}`)].join('\n')),
    request: { zoneId: zone.id, zoneName: zone.name },
    patience: (given.wait ?? 0) * 60_000,
  };
  const result = await commission(parts, { ...plan, ...files, zone, dialect, search }, (step) => context.progress(stepText(step)));
  if (result.settled) context.progress(`device ${result.device.id} holds this zone: an operational connection proved it`);
  if (admin !== undefined) context.progress(`device ${result.device.id} is in the zone of its owner, who operates it`);
  return { value: shownCommissioning(result), text: valuesText(shownValues(DEVICE_INFO.id, result.deviceInfo)) };
}

/** What an admin commissions is as the zone's owner made it. */
function checkAdmin(options: GlobalOptions, given: CommissionArguments): void {
  const { zoneType, zoneName, priority, dialect } = options;
  const clash = (option: string): ConfigError => new ConfigError(option, "the folder's zone belongs to another owner, who decides that");
  if (zoneType !== undefined) throw clash('--zone-type');
  if (zoneName !== undefined) throw clash('--zone-name');
  if (priority !== undefined) throw clash('--priority');
  if (dialect === 'reference') throw new ConfigError('--dialect', 'the reference dialect has no admins');
  if (given.adminToken !== undefined) throw new ConfigError('--admin-token', "the folder's own token is sent");
}

/** Issues an admin token of the zone (commissioning-pase §8.2). */
async function token(context: ControllerContext, { out, days, permissions }: TokenArguments): Promise<Outcome> {
  const { crypto, clock } = context.machine;
  const zone = await context.zone();
  const { bytes, ...record } = issueToken(crypto, zone, { now: Math.floor(clock.wall() / 1000), days, permissions });
  const register = new AdminRegister(context.store.folder);
  await register.put(record);
  try {
    await writeAtomically(out, bytes);
  } catch (error) {
    // A token that nobody can have is none of the list.
    await register.remove(record.id);
    throw error;
  }
  const value = { token: record.id, zone: zone.id, permissions, expiresAt: isoTime(record.expiresAt), file: out };
  return { value, text: valuesText(value) };
}

function shownDevice(device: CommissionableDevice): Readonly<Record<string, unknown>> {
  return { ...device, addresses: device.addresses.map(formatTarget) };
}

function shownCommissioning({ device, deviceInfo, steps, attestation, settled }: Commissioned): Readonly<Record<string, unknown>> {
  return { device: shownRecord(device), deviceInfo: namedValues(DEVICE_INFO.id, deviceInfo), settled, attestation, steps };
}
