import type { CborValue } from '../codec/cbor.js';
import { utf8Encode } from '../codec/utf8.js';
import { PeerError } from '../errors.js';
import type { Caller, CommandOutcome, FeatureInstance } from '../model/feature.js';
import { InteractionStatus } from '../model/status.js';
import type { Clock, Crypto, Log } from '../platform.js';
import type { Secret } from '../secret.js';
import { ZoneType } from '../zones/zone.js';
import { ForcedFeature } from './forced-values.js';
import type { TestHost, TestZone } from './host.js';
import { AutoReentry } from './re-entry.js';
import { testState } from './state.js';
import { TEST_CONTROL, TestCommand } from './table.js';
import { effectOf, type NOW, RESET_VALUES, type TestEffect } from './triggers.js';

/** setCommissioningWindowDuration, seconds. */
const WINDOW_MINIMUM = 3;
const WINDOW_MAXIMUM = 10_800;
/** After pre-operational connections were closed, ms (reference-behaviour §3.3). */
const CLOSED_PAUSE = 100;

export interface TestControlOptions {
  readonly enableKey: Secret;
  readonly crypto: Pick<Crypto, 'equal'>;
  readonly log: Log;
}

/** TestControl at work (reference-behaviour §3): for test builds, for TEST zones, and for those who know the enable key. */
export class TestControl implements FeatureInstance {
  /** What a panel says loudly. */
  readonly notice = 'TEST MODE: a TEST zone that knows the enable key commands this device';
  readonly schema = TEST_CONTROL;
  readonly attributes = [1];
  readonly commands = [TestCommand.TRIGGER, TestCommand.SET_WINDOW, TestCommand.GET_STATE];
  readonly #options: TestControlOptions;
  /** In the order of endpoints, the lowest first. */
  readonly #forced: ForcedFeature[] = [];
  #host: TestHost | undefined;
  #reentry: AutoReentry | undefined;

  constructor(options: TestControlOptions) {
    this.#options = options;
  }

  /** The feature as a test can set it; called for each feature of each endpoint in ascending order, before the model is built. */
  wrap(feature: FeatureInstance): FeatureInstance {
    const forced = new ForcedFeature(feature);
    this.#forced.push(forced);
    return forced;
  }

  /** The runtime is there. */
  bind(host: TestHost): void {
    this.#host = host;
    if (!host.reference) return;
    this.#reentry = new AutoReentry(
      host.clock,
      () => host.slotFree,
      () => host.openWindow(),
    );
  }

  /** CERT_ACK was written. */
  zoneCommissioned(zoneId: string): void {
    this.#reentry?.commissioned(zoneId);
  }

  zoneConnected(zoneId: string): void {
    this.#reentry?.connected(zoneId);
  }

  zoneRemoved(zoneId: string): void {
    this.#reentry?.removed(zoneId);
  }

  zoneDisconnected(): void {
    if (this.#runtime.zones.every(({ connected }) => !connected)) this.#reentry?.allDisconnected();
  }

  /** A first commissioning message was accepted: zones that are away make room (reference-behaviour §3.5). */
  commissioningBegins(): void {
    if (this.#runtime.reference) void this.#removeAll(isAway);
  }

  read(): CborValue {
    return true;
  }

  // reference-behaviour §3.1: the zone's type is judged before the key, the key before everything else.
  async invoke(command: number, parameters: ReadonlyMap<string, CborValue>, caller: Caller): Promise<CommandOutcome | undefined> {
    if (caller.type !== ZoneType.TEST) throw new PeerError(InteractionStatus.NOT_AUTHORIZED, 'test commands are for TEST zones');
    const key = utf8Encode(parameters.get('enableKey') as string);
    if (!this.#options.crypto.equal(key, this.#options.enableKey.expose()))
      throw new PeerError(InteractionStatus.UNKNOWN_COMMAND, 'invalid enable key');
    switch (command) {
      case TestCommand.TRIGGER:
        return this.#trigger(parameters.get('eventTrigger') as CborValue);
      case TestCommand.SET_WINDOW:
        this.#setWindow(parameters.get('durationSeconds') as number);
        return undefined;
      default:
        return { values: testState(this.#runtime, this.#reentry?.entered ?? false, (feature, id) => this.#shown(feature, id, caller)) };
    }
  }

  async #trigger(trigger: CborValue): Promise<CommandOutcome | undefined> {
    // Beyond 2⁵³ there is none (reference-behaviour §3.2).
    const effect = typeof trigger === 'number' ? effectOf(trigger) : undefined;
    if (typeof trigger !== 'number' || effect === undefined)
      throw new PeerError(InteractionStatus.UNKNOWN_COMMAND, 'unknown event trigger');
    this.#options.log.warn('test trigger', { trigger: `0x${trigger.toString(16).padStart(16, '0')}` });
    return this.#carryOut(effect);
  }

  async #carryOut(effect: TestEffect): Promise<CommandOutcome | undefined> {
    const host = this.#runtime;
    switch (effect.kind) {
      case 'enterCommissioning':
        host.resetPace();
        host.openWindow();
        this.#reentry?.opened();
        return undefined;
      case 'exitCommissioning':
        host.resetPace();
        host.closeWindow();
        this.#reentry?.exited();
        return undefined;
      case 'adjustClock':
        host.clockOffset = effect.seconds;
        return undefined;
      case 'factoryReset':
        // The caller's own zone is among them: it hears of it first.
        return { afterResponse: () => void this.#removeAll(() => true) };
      case 'reset':
        await this.#reset();
        return undefined;
      case 'set':
        if (!this.#set(effect)) throw new PeerError(InteractionStatus.UNKNOWN_COMMAND, 'no endpoint has this attribute');
        return undefined;
    }
  }

  #setWindow(seconds: number): void {
    this.#runtime.setWindowDuration(Math.min(WINDOW_MAXIMUM, Math.max(WINDOW_MINIMUM, seconds)) * 1000);
  }

  /** The first endpoint that has the feature with all of these attributes. */
  #set({ feature, values }: Extract<TestEffect, { kind: 'set' }>): boolean {
    return this.#forced.some((forced) => forced.schema.id === feature && forced.force(this.#atNow(values)));
  }

  #atNow(values: ReadonlyMap<number, CborValue | typeof NOW>): Map<number, CborValue> {
    const now = this.#runtime.now();
    return new Map([...values].map(([id, value]) => [id, typeof value === 'symbol' ? now : value]));
  }

  // reference-behaviour §3.3, in its order.
  async #reset(): Promise<void> {
    const host = this.#runtime;
    for (const zone of host.zones.filter(isAway)) await host.removeZone(zone.id);
    host.resetEnergy();
    for (const { feature, values } of RESET_VALUES)
      for (const forced of this.#forced) if (forced.schema.id === feature) forced.force(this.#listed(forced, values));
    host.clockOffset = 0;
    host.closeWindow();
    host.setWindowDuration(undefined);
    host.resetCommissioning();
    host.openWindow();
    if (host.closePreOperational() > 0) await pause(host.clock);
    this.#reentry?.reset();
    host.dropSubscriptions();
    host.restartPairing();
  }

  #listed(forced: ForcedFeature, values: ReadonlyMap<number, CborValue | typeof NOW>): Map<number, CborValue> {
    return new Map([...this.#atNow(values)].filter(([id]) => forced.attributes.includes(id)));
  }

  async #removeAll(which: (zone: TestZone) => boolean): Promise<void> {
    const host = this.#runtime;
    for (const zone of host.zones.filter(which)) {
      try {
        await host.removeZone(zone.id);
      } catch (error) {
        this.#options.log.error('a zone could not be removed', { zone: zone.id, error });
      }
    }
  }

  #shown(feature: number, id: number, caller: Caller): CborValue | undefined {
    return this.#forced.find((forced) => forced.schema.id === feature && forced.attributes.includes(id))?.read(id, caller);
  }

  get #runtime(): TestHost {
    if (this.#host === undefined) throw new Error('TestControl is not bound to a runtime');
    return this.#host;
  }
}

/** A zone whose controller is not connected; TEST zones stay. */
function isAway({ type, connected }: TestZone): boolean {
  return type !== ZoneType.TEST && !connected;
}

function pause(clock: Clock): Promise<void> {
  return new Promise((resolve) => void clock.after('closed connections', CLOSED_PAUSE, resolve));
}
