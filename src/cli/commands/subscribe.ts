import { hostname } from 'node:os';
import type { Command } from 'commander';
import { findEndpoint } from '../../controller/endpoints.js';
import { type FollowEvent, follow, type Watched } from '../../controller/follow.js';
import { featureName, namedValues } from '../../controller/names.js';
import { isPath } from '../../controller/path.js';
import { announcePresence } from '../../controller/presence.js';
import { shownValues } from '../../controller/quantities.js';
import { selectDevice } from '../../controller/select-device.js';
import type { DeviceRecord } from '../../controller/zone.js';
import { ConfigError } from '../../errors.js';
import type { Choose, ControllerContext } from '../controller-context.js';
import { numberArgument, planAttributes } from '../controller-options.js';
import { table } from '../controller-output.js';

interface SubscribeArguments {
  readonly follow?: boolean;
  readonly minInterval?: number;
  readonly maxInterval?: number;
}

/** Milliseconds; what a device takes is narrower (features.md §6), and it says so. */
const INTERVAL_MAXIMUM = 0xffff_ffff;

/** subscribe. */
export function describeSubscribe(program: Command, choose: Choose): void {
  program
    .command('subscribe')
    .usage('[options] [device] <path...>')
    .description('subscribe to attributes of a device and print their values; with --follow every change, until Ctrl-C')
    .argument('<path...>', '[ENDPOINT/]FEATURE[/ATTRIBUTE] each, after the device where one is named')
    .option('--follow', 'go on until Ctrl-C; connect again when the connection is lost')
    .option(
      '--min-interval <ms>',
      'at most one notification in so many milliseconds (default: 1000)',
      numberArgument('--min-interval', 0, INTERVAL_MAXIMUM),
    )
    .option('--max-interval <ms>', 'all values at least this often (default: 60000)', numberArgument('--max-interval', 0, INTERVAL_MAXIMUM))
    .action((words: readonly string[], options: SubscribeArguments) => choose((context) => subscribe(context, words, options)));
}

async function subscribe(context: ControllerContext, words: readonly string[], options: SubscribeArguments): Promise<undefined> {
  const device = isPath(words[0]) ? undefined : words[0];
  const watched = planWatched(device === undefined ? words : words.slice(1), options);
  if (options.follow === true) await followDevice(context, device, watched);
  else
    await context.withDevice(device, async ({ session, record }) => {
      for (const { endpoint: given, feature, ...limits } of watched) {
        const endpoint = await findEndpoint(session, record, { endpoint: given, feature });
        const { id, values } = await session.subscribe(endpoint, feature, limits, () => {});
        await session.unsubscribe(id);
        tell(context, record, { event: 'priming', endpoint, feature, values });
      }
    });
  return undefined;
}

async function followDevice(context: ControllerContext, wanted: string | undefined, watched: readonly Watched[]): Promise<void> {
  const zone = await context.zone();
  const record = context.choose(selectDevice(await context.store.devices(), wanted));
  const abort = new AbortController();
  const release = context.onInterrupt(() => abort.abort());
  const presence = announcePresence(context.parts, zone, hostname());
  try {
    await follow(context.parts, { zone, record, watched, tell: (event) => tell(context, record, event) }, abort.signal);
  } finally {
    release();
    (await presence)?.withdraw();
  }
}

/** One subscription a feature: several attributes of it, or all where the feature itself is named. Throws ConfigError. */
export function planWatched(
  words: readonly string[],
  { minInterval: minimum, maxInterval: maximum }: SubscribeArguments,
): readonly Watched[] {
  if (words.length === 0) throw new ConfigError('path', 'at least one path is due');
  const watched = new Map<string, Watched>();
  for (const { endpoint, feature, attributes } of words.map(planAttributes)) {
    const key = `${endpoint ?? ''}/${feature}`;
    const former = watched.get(key);
    const all = attributes === undefined || (former !== undefined && former.attributes === undefined);
    const named = all ? undefined : [...new Set([...(former?.attributes ?? []), ...attributes])];
    watched.set(key, { endpoint, feature, attributes: named, minimum, maximum });
  }
  return [...watched.values()];
}

function tell(context: ControllerContext, record: DeviceRecord, told: FollowEvent): void {
  const at = new Date(context.machine.clock.wall()).toISOString();
  const head = { at, device: record.id };
  switch (told.event) {
    case 'connected':
      context.tell({ ...head, ...told }, told.again ? 'connected again' : `connected to ${record.name ?? 'device'} ${record.id}`);
      break;
    case 'lost':
      context.tell({ ...head, ...told }, `connection lost: ${told.reason}; trying again in ${(told.retryIn / 1000).toFixed(1)} s`);
      break;
    default: {
      const { event, endpoint, feature, values } = told;
      const name = `${endpoint}/${featureName(feature)}`;
      const rows = Object.entries(shownValues(feature, values)).map(([attribute, value]) => [at.slice(11, 23), name, attribute, value]);
      context.print({ ...head, event, endpoint, feature: featureName(feature), values: namedValues(feature, values) }, table(rows));
    }
  }
}
