import type { Command } from 'commander';
import { checkResult } from '../../controller/command-result.js';
import { findEndpoint } from '../../controller/endpoints.js';
import {
  attributeNames,
  attributeNumber,
  commandName,
  commandNames,
  commandNumber,
  featureName,
  namedValues,
  plain,
} from '../../controller/names.js';
import { isPath, type Path, parsePath, unknownName } from '../../controller/path.js';
import { shownFields, shownValues } from '../../controller/quantities.js';
import { attributeTable, commandTable } from '../../controller/tables.js';
import { parseParameters, parseTyped } from '../../controller/typed-text.js';
import { ConfigError } from '../../errors.js';
import type { Choose, ControllerContext, Outcome } from '../controller-context.js';
import { valuesText } from '../controller-output.js';

/** invoke, write. */
export function describeInteraction(program: Command, choose: Choose): void {
  program
    .command('invoke')
    .usage('[options] [device] <path> [key=value...]')
    .description("carry out a command of a device; parameters in the protocol's units, maps and arrays in JSON")
    .argument('<path...>', '[ENDPOINT/]FEATURE/COMMAND by names or numbers, after the device where one is named')
    .action((words: readonly string[]) => choose((context) => invoke(context, words)));
  program
    .command('write')
    .usage('[options] [device] <path> <value>')
    .description("write an attribute of a device, in the protocol's unit; null clears, maps and arrays in JSON")
    .argument('<path...>', '[ENDPOINT/]FEATURE/ATTRIBUTE by names or numbers, after the device where one is named')
    .action((words: readonly string[]) => choose((context) => write(context, words)));
}

async function invoke(context: ControllerContext, words: readonly string[]): Promise<Outcome> {
  const { device, path, rest } = addressed(words);
  const { feature } = path;
  const command = named(path, 'command', commandNumber, commandNames);
  const table = commandTable(feature, command);
  const parameters = parseParameters(table?.parameters, rest);
  return context.withDevice(device, async ({ session, record }) => {
    const endpoint = await findEndpoint(session, record, path);
    const result = await session.invoke(endpoint, feature, command, parameters);
    const name = commandName(feature, command);
    checkResult(name, result);
    const value = { device: record.id, endpoint, feature: featureName(feature), command: name, result: plain(result) };
    return { value, text: valuesText(shownFields(table?.response ?? [], result)) };
  });
}

async function write(context: ControllerContext, words: readonly string[]): Promise<Outcome> {
  const { device, path, rest } = addressed(words);
  const [text, ...more] = rest;
  if (text === undefined || more.length > 0) throw new ConfigError('write', 'one value is due behind the path');
  const { feature } = path;
  const attribute = named(path, 'attribute', attributeNumber, attributeNames);
  const table = attributeTable(feature, attribute);
  const given = parseTyped(table?.type, text, table?.name ?? 'value', table?.nullable ?? true);
  return context.withDevice(device, async ({ session, record }) => {
    const endpoint = await findEndpoint(session, record, path);
    const held = await session.write(endpoint, feature, new Map([[attribute, given]]));
    const value = { device: record.id, endpoint, feature: featureName(feature), values: namedValues(feature, held) };
    return { value, text: valuesText(shownValues(feature, held)) };
  });
}

/** `[DEVICE] PATH …`. */
function addressed(words: readonly string[]): { device: string | undefined; path: Path; rest: readonly string[] } {
  const device = isPath(words[0]) ? undefined : words[0];
  const [path, ...rest] = device === undefined ? words : words.slice(1);
  if (path === undefined) throw new ConfigError('path', `'${device}' is no path, and none follows`);
  return { device, path: parsePath(path), rest };
}

function named(
  { feature, name }: Path,
  what: string,
  numberOf: (feature: number, text: string) => number | undefined,
  namesOf: (feature: number) => readonly string[],
): number {
  if (name === undefined) throw new ConfigError('path', `the ${what} is missing: ${featureName(feature)}/${namesOf(feature)[0] ?? '1'}`);
  const number = numberOf(feature, name);
  if (number === undefined) throw unknownName(what, name, namesOf(feature));
  return number;
}
