import type { Command } from 'commander';
import { findEndpoint } from '../../controller/endpoints.js';
import { readInitially, rememberState } from '../../controller/initial-reads.js';
import { featureName, namedValues } from '../../controller/names.js';
import { isPath } from '../../controller/path.js';
import { shownValues } from '../../controller/quantities.js';
import { ConfigError } from '../../errors.js';
import { DEVICE_INFO } from '../../features/device-info-table.js';
import type { Choose, ControllerContext, Outcome } from '../controller-context.js';
import { planRead } from '../controller-options.js';
import { valuesText } from '../controller-output.js';

/** read, ping. */
export function describeReading(program: Command, choose: Choose): void {
  program
    .command('read')
    .description('read attributes of a device, by names or numbers (default: 0/DeviceInfo)')
    .argument('[device]', 'id (or its first digits), serial number or name; may be left out where the zone has one device')
    .argument('[path]', '[ENDPOINT/]FEATURE[/ATTRIBUTE]')
    .option('--all', 'what a controller reads first: DeviceInfo, Electrical, EnergyControl, Measurement, Status of every endpoint')
    .action((first: string | undefined, second: string | undefined, { all }: { all?: boolean }) =>
      choose((context) => (all === true ? readAll(context, first, second) : read(context, first, second))),
    );
  program
    .command('ping')
    .description('measure how fast a device answers')
    .argument('[device]', 'as with read')
    .action((device?: string) => choose((context) => ping(context, device)));
}

async function read(context: ControllerContext, first: string | undefined, second: string | undefined): Promise<Outcome> {
  const plan = planRead(first, second);
  return context.withDevice(plan.device, async ({ session, record }) => {
    const endpoint = await findEndpoint(session, record, plan);
    const values = await session.read(endpoint, plan.feature, plan.attributes);
    const value = { device: record.id, endpoint, feature: featureName(plan.feature), values: namedValues(plan.feature, values) };
    return { value, text: valuesText(shownValues(plan.feature, values)) };
  });
}

/** The read sequence of connection-establishment §7.3; what it finds is remembered. */
async function readAll(context: ControllerContext, device: string | undefined, path: string | undefined): Promise<Outcome> {
  if (isPath(device) || path !== undefined) throw new ConfigError('--all', 'a path says what to read: leave one of them out');
  return context.withDevice(device, async ({ session, record }) => {
    const state = await readInitially(session, context.parts.log);
    await context.store.put(rememberState({ ...record, state: 'confirmed' }, state));
    const found = [{ endpoint: 0, feature: DEVICE_INFO.id, values: state.deviceInfo }, ...state.features];
    const shown = found.map(({ endpoint, feature, values }) => ({
      endpoint,
      feature: featureName(feature),
      values: namedValues(feature, values),
    }));
    const texts = found.map(
      ({ endpoint, feature, values }) => `${endpoint}/${featureName(feature)}\n${valuesText(shownValues(feature, values))}`,
    );
    return { value: { device: record.id, degraded: state.degraded, features: shown }, text: texts.join('\n\n') };
  });
}

function ping(context: ControllerContext, device: string | undefined): Promise<Outcome> {
  return context.withDevice(device, async ({ session, record }) => {
    const milliseconds = Math.round((await session.ping()) * 10) / 10;
    return { value: { device: record.id, milliseconds }, text: `${record.id} answered in ${milliseconds} ms` };
  });
}
