import { ControllerError } from '../controller/errors.js';
import type { Transport } from '../controller/transport.js';
import type { DeviceAddress, ZoneKind } from '../controller/zone.js';
import type { SetupCode } from '../crypto/setup-code.js';
import type { DialectName } from '../dialect/messages.js';
import { NetworkError } from '../errors.js';
import type { Clock, Crypto, Multicast } from '../platform.js';
import type { Claims } from './claims.js';
import { type Answer, answerText, CommissioningPeer, saysNo } from './commissioning-peer.js';
import { MdnsWatch } from './mdns-watch.js';
import { OperationalPeer } from './operational-peer.js';
import { TestZone } from './test-zone.js';
import { attemptTls } from './tls-attempt.js';
import { NotApplicable, Refuted } from './verdict.js';
import { ZoneKit } from './zone-kit.js';

/** After a commissioning connection the reference profile is busy for half a second. */
const REST = { draft: 20, reference: 650 } as const;
const OPENING = 5000;

export interface BenchOptions {
  readonly target: DeviceAddress;
  /** Where `mash/1` leads to commissioning too, if the device has such a port. */
  readonly commissioningPort?: number | undefined;
  readonly code: SetupCode;
  /** 0…4095; default: as the device's commissioning certificate has it. */
  readonly discriminator?: number | undefined;
  readonly pics: Claims;
  readonly enableKey?: string | undefined;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly transport: Transport;
  readonly multicast?: Multicast | undefined;
  /** Presses the button. */
  readonly openWindow?: (() => Promise<void>) | undefined;
  /** Power off, power on; resolves when it was done. */
  readonly restart?: (() => Promise<void>) | undefined;
}

/** A zone on the device with its operational connection. */
export interface ZoneOnDevice {
  readonly kit: ZoneKit;
  readonly dialect: DialectName;
  readonly zoneId: string;
  readonly deviceId: string;
  peer: OperationalPeer;
}

/** The device under test and everything that was done to it: each case starts from an open window and without zones of ours. */
export class Bench {
  readonly options: BenchOptions;
  readonly pics: Claims;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly watch: MdnsWatch | undefined;
  readonly testZone: TestZone | undefined;
  readonly #zones: ZoneOnDevice[] = [];
  readonly #pending: CommissioningPeer[] = [];
  readonly #joined = new WeakSet<CommissioningPeer>();
  #made = 0;
  /** A commissioning connection was there, whose end the device rests from. */
  #mustRest = false;

  constructor(options: BenchOptions) {
    this.options = options;
    this.pics = options.pics;
    this.crypto = options.crypto;
    this.clock = options.clock;
    this.watch = options.multicast === undefined ? undefined : new MdnsWatch(options.multicast, options.clock);
    this.testZone = options.enableKey === undefined ? undefined : new TestZone(this, options.enableKey);
  }

  async start(): Promise<void> {
    await this.watch?.start();
  }

  async close(): Promise<void> {
    await this.cleanUp();
    await this.testZone?.leave();
    await this.watch?.close();
  }

  get target(): DeviceAddress {
    return this.options.target;
  }

  get transport(): Transport {
    return this.options.transport;
  }

  now(): number {
    return Math.floor(this.clock.wall() / 1000);
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => void this.clock.after('conformance', milliseconds, resolve));
  }

  /** A zone of that kind with keys of its own. */
  kit(kind: ZoneKind = 'home'): ZoneKit {
    this.#made += 1;
    return new ZoneKit(this.crypto, `Conformance ${this.#made}`, kind, this.now());
  }

  /** Which kinds the first, second … zone may have, so that they share the device. */
  kindOf(index: number): ZoneKind {
    const kinds: readonly ZoneKind[] = this.pics.profile === 'reference' ? ['home', 'grid'] : ['home', 'grid', 'building', 'user', 'home'];
    return kinds[index % kinds.length] ?? 'home';
  }

  /** Whether a commissioning handshake is taken now. */
  async windowOpen(): Promise<boolean> {
    const outcome = await attemptTls(this.target, {});
    return outcome.kind === 'connected';
  }

  /** Why nobody answers at the device's address, tried for so long, ms; undefined where somebody does. */
  async absence(patience: number): Promise<string | undefined> {
    const until = this.clock.now() + patience;
    for (;;) {
      const outcome = await attemptTls(this.target, {});
      if (outcome.kind === 'connected' || outcome.answered) return undefined;
      if (this.clock.now() >= until) return outcome.text;
      await this.sleep(200);
    }
  }

  /** What a case begins with. TestControl of profile `reference` takes the rest between two commissionings back, too (reference-behaviour §3.3). */
  async begin(): Promise<void> {
    if (this.testZone === undefined || this.pics.profile === 'draft') return this.openWindow();
    await this.testZone.reset();
    this.#mustRest = false;
  }

  /** Rejects with NotApplicable where nothing here can open it. */
  async openWindow(): Promise<void> {
    if (this.testZone !== undefined) {
      await this.testZone.enterCommissioning();
      return;
    }
    await this.openByHand();
  }

  /** Without TestControl. */
  async openByHand(): Promise<void> {
    if (await this.windowOpen()) return;
    const { openWindow } = this.options;
    if (openWindow === undefined)
      throw new NotApplicable('the commissioning window is closed: --enable-key or --open-command opens it, or the button within the run');
    await openWindow();
    const until = this.clock.now() + OPENING;
    while (!(await this.windowOpen())) {
      if (this.clock.now() > until) throw new NotApplicable('the commissioning window stayed closed after --open-command');
      await this.sleep(100);
    }
  }

  /** A commissioning connection; the window is open. The former one rests as long as the device wants. */
  async commissioning(dialect: DialectName, kit: ZoneKit = this.kit(), code = this.options.code): Promise<CommissioningPeer> {
    const { crypto, clock } = this;
    // The device counts from the end of the former one, however long that took it.
    if (this.#mustRest) await this.sleep(REST[this.pics.profile]);
    this.#mustRest = true;
    try {
      const peer = await CommissioningPeer.connect({ crypto, clock, transport: this.transport }, this.target, {
        dialect,
        zone: kit,
        code,
      });
      this.#pending.push(peer);
      return peer;
    } catch (error) {
      if (error instanceof ControllerError || error instanceof NetworkError) throw new Refuted(error.message);
      throw error;
    }
  }

  /** Commissions and connects. Throws Refuted where the device refuses. */
  async join(dialect: DialectName, kit: ZoneKit = this.kit()): Promise<ZoneOnDevice> {
    const peer = await this.commissioning(dialect, kit);
    const answer = await peer.run('certInstall');
    if (saysNo(answer)) throw new Refuted(`commissioning of ${kit.name} (${kit.kind}): CERT_ACK 0 is due, seen was ${describe(answer)}`);
    await peer.finish();
    return this.joined(peer);
  }

  /** The zone of a commissioning that has succeeded, connected. */
  async joined(commissioned: CommissioningPeer): Promise<ZoneOnDevice> {
    const { zone: kit, dialect, zoneId, deviceId } = commissioned;
    const peer = await this.operational({ kit, dialect, deviceId });
    const zone: ZoneOnDevice = { kit, dialect, zoneId, deviceId, peer };
    this.#mustRest = true;
    this.#zones.push(zone);
    this.#joined.add(commissioned);
    await peer.read(0, 1, 1);
    return zone;
  }

  /** Another operational connection. Rejects with Refuted where the handshake fails. */
  async operational(as: Pick<ZoneOnDevice, 'kit' | 'dialect' | 'deviceId'>, identity = as.kit.controller): Promise<OperationalPeer> {
    try {
      const to = { identity, serverName: as.deviceId, dialect: as.dialect };
      return await OperationalPeer.connect({ transport: this.transport, clock: this.clock }, this.target, to);
    } catch (error) {
      if (error instanceof ControllerError || error instanceof NetworkError) throw new Refuted(`operational connection: ${error.message}`);
      throw error;
    }
  }

  /** Removes one zone by its own command. */
  async remove(zone: ZoneOnDevice): Promise<void> {
    const at = this.#zones.indexOf(zone);
    if (at >= 0) this.#zones.splice(at, 1);
    const removed = await this.testZone?.removeZone(zone.zoneId);
    if (removed === undefined) {
      if (!zone.peer.open) zone.peer = await this.operational(zone);
      await zone.peer.invoke(0, 1, 16, { zoneId: zone.zoneId });
    }
    zone.peer.destroy();
  }

  /** It is gone already, or another than the case takes care of it. */
  forget(zone: ZoneOnDevice): void {
    const at = this.#zones.indexOf(zone);
    if (at >= 0) this.#zones.splice(at, 1);
    zone.peer.destroy();
  }

  /** No connection and no zone of ours is left. */
  async cleanUp(): Promise<void> {
    if (this.#pending.length > 0) this.#mustRest = true;
    for (const peer of this.#pending.splice(0)) {
      peer.destroy();
      // Of a device that takes what it should refuse: the next case is not to find it.
      if (peer.installed && peer.zone.kind !== 'test' && !this.#joined.has(peer)) await succeeds(this.joined(peer));
    }
    for (const zone of [...this.#zones]) if (!(await succeeds(this.remove(zone)))) this.forget(zone);
  }
}

/** False where the device would not. */
async function succeeds(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (!(error instanceof Refuted || error instanceof ControllerError || error instanceof NetworkError)) throw error;
    return false;
  }
}

function describe(answer: Answer): string {
  const text = 'text' in answer && answer.text !== undefined ? ` (${answer.text})` : '';
  return `${answerText(answer)}${text}`;
}
