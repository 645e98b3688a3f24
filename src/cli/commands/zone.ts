import type { Command } from 'commander';
import { formatTarget } from '../../controller/addresses.js';
import { endpointTypeName, featureName } from '../../controller/names.js';
import { renewDevice } from '../../controller/renewal.js';
import { type ControllerZone, type DeviceRecord, ZONE_KINDS } from '../../controller/zone.js';
import { parseCertificate } from '../../pki/certificate.js';
import type { Choose, Connected, ControllerContext, Outcome } from '../controller-context.js';
import { isoTime, table, valuesText } from '../controller-output.js';

/** How long a device serves its zone after the end of its certificate (profile, `certificates.grace`), seconds. */
const DEVICE_GRACE = 7 * 86_400;

/** zones, devices, renew. */
export function describeZone(program: Command, choose: Choose): void {
  program
    .command('zones')
    .description('show the zone of the folder')
    .action(() => choose(zones));
  program
    .command('devices')
    .description('list the devices of the zone')
    .action(() => choose(devices));
  program
    .command('renew')
    .description('give a device a new certificate, one year from now, over its connection; also within seven days after its end')
    .argument('[device]', 'as with read')
    .action((device?: string) => choose((context) => renew(context, device)));
}

async function zones(context: ControllerContext): Promise<Outcome> {
  const zone = await context.store.load();
  if (zone === undefined) {
    const { folder } = context.store;
    const admin = await context.store.loadAdmin();
    context.progress(
      admin === undefined
        ? `no zone in ${folder} yet; 'commission' creates it`
        : `${folder} is an admin's of zone '${admin.name}' (${admin.id})`,
    );
    return { value: [], text: '' };
  }
  const shown = { ...shownZone(context, zone), devices: (await context.store.devices()).length };
  return { value: [shown], text: valuesText(shown) };
}

async function devices(context: ControllerContext): Promise<Outcome> {
  const records = await context.store.devices();
  const rows = records.map((record) => [
    record.id,
    record.name ?? '-',
    record.serial ?? '-',
    record.dialect,
    record.degraded === true ? `${record.state}, degraded` : record.state,
    (record.endpoints ?? []).map(({ id, type }) => `${id} ${endpointTypeName(type)}`).join(', ') || '-',
    validUntil(context, record).slice(0, 10),
    record.addresses.map(formatTarget)[0] ?? '-',
  ]);
  return {
    value: records.map((record) => ({ ...shownRecord(record), validUntil: validUntil(context, record) })),
    text: table([['DEVICE', 'NAME', 'SERIAL', 'DIALECT', 'STATE', 'ENDPOINTS', 'VALID UNTIL', 'LAST ADDRESS'], ...rows]),
  };
}

function renew(context: ControllerContext, device: string | undefined): Promise<Outcome> {
  const work = async ({ session, record, zone }: Connected): Promise<Outcome> => {
    const { device: renewed, notAfter } = await renewDevice(context.parts, zone, record, session, context.progress);
    const validUntil = isoTime(notAfter);
    return { value: { device: renewed.id, validUntil }, text: `${renewed.id} has a new certificate, valid until ${validUntil}` };
  };
  return context.withDevice(device, work, DEVICE_GRACE);
}

/** The end of the certificate that we issued. */
function validUntil({ machine }: ControllerContext, { certificate }: DeviceRecord): string {
  return isoTime(parseCertificate(machine.crypto, certificate).notAfter);
}

/** A record without its certificate. */
export function shownRecord(record: DeviceRecord): Readonly<Record<string, unknown>> {
  const { certificate: _certificate, endpoints, ...shown } = record;
  const named = endpoints?.map(({ type, features, ...rest }) => ({
    ...rest,
    type: endpointTypeName(type),
    features: features.map(featureName),
  }));
  return {
    ...shown,
    ...(named === undefined ? {} : { endpoints: named }),
    addresses: record.addresses.map(formatTarget),
    addedAt: isoTime(record.addedAt),
  };
}

function shownZone({ machine, store }: ControllerContext, zone: ControllerZone): Readonly<Record<string, unknown>> {
  return {
    folder: store.folder,
    id: zone.id,
    name: zone.name,
    type: zone.kind,
    referenceType: ZONE_KINDS[zone.kind].reference,
    priority: zone.priority,
    createdAt: isoTime(zone.createdAt),
    caValidUntil: isoTime(parseCertificate(machine.crypto, zone.caCertificate).notAfter),
    controllerValidUntil: isoTime(parseCertificate(machine.crypto, zone.controllerCertificate).notAfter),
  };
}
