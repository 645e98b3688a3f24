import type { Command } from 'commander';
import { type CborValue, isMap } from '../../codec/cbor.js';
import { plain } from '../../controller/names.js';
import { selectDevice } from '../../controller/select-device.js';
import type { DeviceRecord } from '../../controller/zone.js';
import { ConfigError } from '../../errors.js';
import { DEVICE_INFO } from '../../features/device-info-table.js';
import { ZoneType } from '../../zones/zone.js';
import type { Choose, ControllerContext, Outcome } from '../controller-context.js';
import { table } from '../controller-output.js';

const REMOVE_ZONE = 16;
const LIST_ZONES = 17;

/** zones-of, remove-zone. */
export function describeMembership(program: Command, choose: Choose): void {
  program
    .command('zones-of')
    .description('list the zones that a device is in')
    .argument('[device]', 'as with read')
    .action((device?: string) => choose((context) => zonesOf(context, device)));
  program
    .command('remove-zone')
    .description('take a device out of this zone, or of another zone that ranks below it')
    .argument('[device]', 'as with read')
    .argument('[zone]', "zone id (default: this zone's own)")
    .action((first?: string, second?: string) => choose((context) => removeZone(context, first, second)));
}

function zonesOf(context: ControllerContext, device: string | undefined): Promise<Outcome> {
  return context.withDevice(device, async ({ session, record }) => {
    const zones = (await session.invoke(0, DEVICE_INFO.id, LIST_ZONES)).get('zones');
    const rows = Array.isArray(zones) ? zones.map((zone) => row(zone, record.zoneId)) : [];
    return {
      value: { device: record.id, zones: plain(zones ?? []) },
      text: table([['ZONE', 'TYPE', 'PRIORITY', 'CONNECTED'], ...rows]),
    };
  });
}

/** A removal of our own zone ends the connection, and takes the device out of the folder. */
async function removeZone(context: ControllerContext, first: string | undefined, second: string | undefined): Promise<Outcome> {
  const { device, zone } = target(await context.store.devices(), first, second);
  return context.withDevice(device, async ({ session, record }) => {
    const zoneId = zone ?? record.zoneId;
    await session.invoke(0, DEVICE_INFO.id, REMOVE_ZONE, new Map([['zoneId', zoneId]]));
    const own = sameId(zoneId, record.zoneId);
    if (own) await context.store.remove(record.id);
    const text = own ? `${record.id} is in this zone no more` : `${record.id} is in zone ${zoneId} no more`;
    return { value: { device: record.id, zone: zoneId, removed: true }, text };
  });
}

/** One word is a device of ours, or else a zone. */
function target(devices: readonly DeviceRecord[], first: string | undefined, second: string | undefined) {
  if (first === undefined || second !== undefined) return { device: first, zone: zoneArgument(second) };
  try {
    return { device: selectDevice(devices, first).id, zone: undefined };
  } catch (error) {
    if (isZoneId(first)) return { device: undefined, zone: first };
    throw error;
  }
}

function zoneArgument(text: string | undefined): string | undefined {
  if (text !== undefined && !isZoneId(text)) throw new ConfigError('zone', `'${text}' is not a zone id of 16 hexadecimal digits`);
  return text;
}

function isZoneId(text: string): boolean {
  return /^[\da-f]{16}$/i.test(text);
}

function sameId(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function row(zone: CborValue, own: string): readonly string[] {
  const text = (name: string): string => String(plain((isMap(zone) ? zone.get(name) : undefined) ?? '-'));
  const type = Object.entries(ZoneType).find(([, value]) => String(value) === text('zoneType'))?.[0];
  const id = text('zoneId');
  return [sameId(id, own) ? `${id} (this)` : id, type ?? text('zoneType'), text('priority'), text('connected') === 'true' ? 'yes' : 'no'];
}
