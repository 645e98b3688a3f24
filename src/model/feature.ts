import type { CborMap, CborValue } from '../codec/cbor.js';
import type { FeatureSchema } from './schema.js';

/** Who asks: the zone of the connection. */
export interface Caller {
  /** Zone id. */
  readonly id: string;
  /** `ZoneType`: 1 GRID_OPERATOR … 4 USER_APP, 0 TEST. */
  readonly type: number;
  /** 1 (highest) – 4. */
  readonly priority: number;
}

/**
 * Tells the model that attributes of this feature may have a new value, all of one step at once. A value that is still the one last sent is not sent again.
 * `onlyZone`: the id of the one zone that sees the change (`my*` attributes).
 */
export type ReportChange = (ids: readonly number[], onlyZone?: string) => void;

/** What a command did. Without `values` the result is `{success: true}`. */
export interface CommandOutcome {
  /** Text keys; null values are left out by the feature itself. */
  readonly values?: CborMap;
  /** Runs in the turn in which the response was written, right after it. */
  readonly afterResponse?: () => void;
}

/**
 * A feature at work on one endpoint: add it to the `features` of its endpoint in `device/model.ts`, nothing else is needed.
 *
 * The model has checked the tables before it calls: a `read` is of a listed attribute; a `write` names listed, writable attributes with values of their
 * type and range; an `invoke` is of a listed command with well-formed parameters under their names. What else is wrong the feature refuses with
 * `PeerError(status)` and has changed nothing then: 8 authority before 11 values (features.md, "Forms").
 * Anything else that it throws is a bug or a StoreError: logged, answered by status 13.
 */
export interface FeatureInstance {
  readonly schema: FeatureSchema;
  /** Ids of what 0xFFFB lists besides the globals. Read once, when the model is built: the list never changes (features.md, "Forms"). */
  readonly attributes: readonly number[];
  /** Ids of what 0xFFFA lists. Read once. A command of the table that is not listed answers 10. */
  readonly commands: readonly number[];
  /** True: subscriptions are primed, and nothing follows. */
  readonly silent?: boolean;
  /** Called once, when the model is built. Report a change after it is made; within a write or an invoke, before its promise resolves. */
  attach?(report: ReportChange): void;
  /** The value of the moment in wire form, for this caller; null is "unknown" or "none". Fast, and without side effects. */
  read(id: number, caller: Caller): CborValue;
  /** Asked before the range of a value is judged (features.md, "Forms"); throws PeerError: 10 capability, 8 authority. */
  authorizeWrite?(id: number, caller: Caller): void;
  /** Judges one value of a write, in ascending order of ids and before anything is written: `before` are the lower ones, accepted. Throws PeerError. */
  checkWrite?(id: number, value: CborValue, caller: Caller, before: ReadonlyMap<number, CborValue>): void;
  /** Makes all values of one request hold, or rejects and changes nothing. What it acknowledges is durable, where it must be. */
  write?(values: ReadonlyMap<number, CborValue>, caller: Caller): void | Promise<void>;
  /** Asked of a well-formed command before its values are judged; throws PeerError 8. A value out of range may be among the parameters. */
  authorize?(command: number, parameters: ReadonlyMap<string, CborValue>, caller: Caller): void;
  /** Parameters by name; an optional one is absent, null, or of its type. A slow command returns a promise: other zones do not wait for it. */
  invoke?(
    command: number,
    parameters: ReadonlyMap<string, CborValue>,
    caller: Caller,
  ): CommandOutcome | undefined | Promise<CommandOutcome | undefined>;
}
