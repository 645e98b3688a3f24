import type { CborMap } from '../codec/cbor.js';
import { integerAt, mapOf } from '../codec/shape.js';
import { PeerError } from '../errors.js';
import type { Caller, CommandOutcome } from '../model/feature.js';
import type { Feature } from '../model/model.js';
import { InteractionStatus } from '../model/status.js';
import { examineFields } from '../model/validate.js';
import type { Request } from '../session/wire.js';

const DONE: CborMap = new Map([['success', true]]);
const NO_PARAMETERS: CborMap = new Map();

/**
 * `{1:command, 2?:parameters}`. Judged in this order: command 4, capability 10, shape 5, authority 8, values 11 (features.md, "Forms").
 * Throws, or rejects, with the reason.
 */
export function invoke(
  feature: Feature,
  request: Request,
  caller: Caller,
): CommandOutcome | undefined | Promise<CommandOutcome | undefined> {
  const payload = mapOf(request.payload, 'invoke payload');
  const id = integerAt(payload, 1, 'invoke payload key 1, command', 0, 0xff);
  const command = feature.command(id);
  if (command === undefined) throw new PeerError(InteractionStatus.UNKNOWN_COMMAND, `command ${id} not found`);
  const { instance } = feature;
  if (instance.invoke === undefined || !feature.commandIds.includes(id))
    throw new PeerError(InteractionStatus.UNSUPPORTED, `${command.name} is not supported`);
  const given = payload.get(2);
  const parameters = given === undefined || given === null ? NO_PARAMETERS : mapOf(given, `${command.name} parameters`);
  const { value, violation } = examineFields(command.parameters, parameters, command.name);
  instance.authorize?.(id, value, caller);
  if (violation !== undefined) throw violation;
  return instance.invoke(id, value, caller);
}

/** protocol.md §3: results have text keys; `{success: true}` unless given (features.md, "Forms"). */
export function resultOf(outcome: CommandOutcome | undefined): CborMap {
  return outcome?.values ?? DONE;
}
