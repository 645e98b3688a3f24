import type { Command } from 'commander';
import { findEndpoint } from '../../controller/endpoints.js';
import { featureName, namedValues } from '../../controller/names.js';
import { shownValues } from '../../controller/quantities.js';
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
    .action((first?: string, second?: string) => choose((context) => read(context, first, second)));
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

function ping(context: ControllerContext, device: string | undefined): Promise<Outcome> {
  return context.withDevice(device, async ({ session, record }) => {
    const milliseconds = Math.round((await session.ping()) * 10) / 10;
    return { value: { device: record.id, milliseconds }, text: `${record.id} answered in ${milliseconds} ms` };
  });
}
