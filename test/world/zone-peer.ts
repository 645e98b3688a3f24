import { type CborMap, type CborValue, isMap } from '../../src/codec/cbor.js';
import type { DialectName } from '../../src/dialect/messages.js';
import { mapOf, StepController, type TestZone } from './controller.js';
import type { DeviceWorld } from './device-world.js';
import type { Peer } from './peer.js';

/** A zone of the device with its operational connection, speaking requests. */
export class ZonePeer {
  readonly world: DeviceWorld;
  readonly zone: TestZone;
  readonly deviceId: string;
  readonly zoneId: string;
  peer!: Peer;
  /** Notifications in the order of their arrival, `[subscription, values]`. */
  readonly notified: [number, Readonly<Record<string, CborValue>>][] = [];
  #id = 0;

  private constructor(world: DeviceWorld, steps: StepController) {
    this.world = world;
    this.zone = steps.zone;
    this.deviceId = steps.deviceId;
    this.zoneId = steps.zoneId;
  }

  /** Commissions the zone, window open, and connects. */
  static async commission(world: DeviceWorld, dialect: DialectName, zone: TestZone): Promise<ZonePeer> {
    const steps = new StepController(await world.connect(), dialect, zone);
    const last = await steps.run();
    if (last.type !== 'certAck' || last.status !== 0) throw new Error(`commissioning failed: ${JSON.stringify(last)}`);
    await steps.finish();
    const peer = new ZonePeer(world, steps);
    await peer.connect();
    return peer;
  }

  async connect(): Promise<void> {
    this.peer = await this.world.connect({ alpn: ['mash/1'], serverName: this.deviceId, certificate: this.zone.controller });
    // Only an answer tells that the device has accepted our certificate.
    await this.ask(1, [1]);
  }

  send(operation: number, payload?: CborValue, feature = 1, endpoint = 0): number {
    this.#id += 1;
    const request = new Map<number, CborValue>([
      [1, this.#id],
      [2, operation],
      [3, endpoint],
      [4, feature],
    ]);
    if (payload !== undefined) request.set(5, payload);
    this.peer.send(request);
    return this.#id;
  }

  /** The response to a request; notifications before it are collected. */
  async ask(operation: number, payload?: CborValue, feature = 1, endpoint = 0): Promise<{ status: CborValue; payload: CborMap }> {
    const id = this.send(operation, payload, feature, endpoint);
    for (;;) {
      const frame = mapOf(await this.peer.receive());
      if (this.#take(frame)) continue;
      if (frame.get(1) !== id) throw new Error(`response to ${String(frame.get(1))} instead of ${id}`);
      const answer = frame.get(3);
      return { status: frame.get(2) ?? null, payload: isMap(answer) ? answer : new Map() };
    }
  }

  /** Waits for the next notification. */
  async notification(): Promise<readonly [number, Readonly<Record<string, CborValue>>]> {
    if (!this.#take(mapOf(await this.peer.receive()))) throw new Error('another frame instead of a notification');
    return this.notified.at(-1) as [number, Readonly<Record<string, CborValue>>];
  }

  #take(frame: CborMap): boolean {
    if (frame.get(1) !== 0) return false;
    this.notified.push([frame.get(2) as number, Object.fromEntries(mapOf(frame.get(5)))]);
    return true;
  }
}
