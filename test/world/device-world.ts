import { boards } from '../../boards/index.js';
import { CHARGER_RATING, SimulatedChargerStage } from '../../boards/sim/charger-stage.js';
import { HEAT_PUMP_RATING, SimulatedHeatPumpStage } from '../../boards/sim/heat-pump-stage.js';
import { MockButton, MockDisplay, MockFlash, MockRelayDriver } from '../../hal/mock/index.js';
import { parseSetupCode } from '../../src/crypto/setup-code.js';
import { MashDevice, type Platform } from '../../src/device.js';
import type { BoardDefinition } from '../../src/model/board.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { nodeListener } from '../../src/node/listener.js';
import type { PortMapper } from '../../src/platform.js';
import { makeProfile, type Profile, type ProfileName } from '../../src/profile.js';
import { type ProtocolLogSink, tapped } from '../../src/protocol-log/index.js';
import { parseEnableKey } from '../../src/test-control/enable-key.js';
import { TestControl } from '../../src/test-control/test-control.js';
import { WORLD_NOW } from './certificates.js';
import { VirtualClock } from './clock.js';
import { MemoryLog } from './log.js';
import { type LinkOptions, VirtualLink, VirtualMulticast } from './network.js';
import { Peer, type PeerOptions } from './peer.js';

export const SETUP_CODE = '20220211';
export const DISCRIMINATOR = 1234;

export interface WorldOptions {
  readonly profile?: ProfileName;
  readonly set?: Readonly<Record<string, string>>;
  readonly openWindow?: boolean;
  readonly windowAtStart?: 'open' | 'closed';
  /** With the simulated hardware of the board behind the relay. */
  readonly powerStage?: boolean;
  /** With a meter of the board's own, which tells `surplus`. */
  readonly surplusMeter?: boolean;
  /** A name of `boards`, or a board of its own; default sim-evse. */
  readonly board?: string | BoardDefinition;
  /** Default `SETUP_CODE`. */
  readonly setupCode?: string;
  /** A test build with this enable key. */
  readonly enableKey?: string;
  /** The router, for `remote.portMapping`. */
  readonly portMapper?: PortMapper;
  /** Operational TCP port; default any. */
  readonly port?: number;
  /** Takes the protocol log. */
  readonly protocolLog?: ProtocolLogSink;
  /** What multicast suffers on its way. */
  readonly link?: LinkOptions;
  /** Unix milliseconds of the wall clock. */
  readonly wall?: number;
}

/** A whole device: real TLS sockets on loopback, real cryptography; virtual time, flash and multicast. */
export class DeviceWorld {
  readonly crypto = nodeCrypto();
  readonly clock: VirtualClock;
  readonly flash = new MockFlash({ sectorSize: 65_536, sectorCount: 2 });
  readonly link: VirtualLink;
  readonly log = new MemoryLog();
  readonly profile: Profile;
  readonly #board: BoardDefinition;
  readonly #openWindow: boolean;
  readonly #powerStage: boolean;
  readonly #surplusMeter: boolean;
  readonly #setupCode: string;
  readonly #enableKey: string | undefined;
  readonly #port: number;
  readonly #portMapper: PortMapper | undefined;
  readonly #protocolLog: ProtocolLogSink | undefined;
  readonly #peers: Peer[] = [];
  button = new MockButton(() => this.clock.now());
  display = new MockDisplay();
  relay = new MockRelayDriver();
  stage: SimulatedChargerStage | undefined;
  pump: SimulatedHeatPumpStage | undefined;
  /** mW that a meter of the site tells; null: none does. */
  surplus: number | null = null;
  device!: MashDevice;
  /** The device's interfaces; anew at each start. */
  multicast!: VirtualMulticast;

  private constructor(options: WorldOptions) {
    this.clock = new VirtualClock(options.wall ?? WORLD_NOW * 1000);
    this.link = new VirtualLink(this.clock, options.link);
    this.profile = makeProfile(options.profile ?? 'draft', options.set);
    const { board: chosen = 'sim-evse' } = options;
    const board = typeof chosen === 'string' ? (boards.get(chosen) as BoardDefinition) : chosen;
    this.#board = { ...board, windowAtStart: options.windowAtStart ?? 'open' };
    this.#openWindow = options.openWindow ?? false;
    this.#powerStage = options.powerStage ?? false;
    this.#surplusMeter = options.surplusMeter ?? false;
    this.#setupCode = options.setupCode ?? SETUP_CODE;
    this.#enableKey = options.enableKey;
    this.#port = options.port ?? 0;
    this.#portMapper = options.portMapper;
    this.#protocolLog = options.protocolLog;
  }

  static async start(options: WorldOptions = {}): Promise<DeviceWorld> {
    const world = new DeviceWorld(options);
    await world.boot();
    return world;
  }

  /** Starts a device on the same flash. */
  async boot(): Promise<void> {
    this.button = new MockButton(() => this.clock.now());
    this.display = new MockDisplay();
    this.relay = new MockRelayDriver();
    const now = (): number => this.clock.now();
    const isPump = this.#board.deviceType === 'HEAT_PUMP';
    this.stage = this.#powerStage && !isPump ? new SimulatedChargerStage(CHARGER_RATING, now) : undefined;
    this.pump = this.#powerStage && isPump ? new SimulatedHeatPumpStage(HEAT_PUMP_RATING, now) : undefined;
    const stage = this.stage ?? this.pump;
    if (stage !== undefined) stage.noiseFrozen = true;
    this.multicast = new VirtualMulticast([
      { name: 'eth0', link: this.link, addresses: ['fe80::1', 'fd77::1', ...(this.#ipv4 ? ['192.0.2.1/24'] : [])] },
    ]);
    const device = new MashDevice({
      profile: this.profile,
      board: this.#board,
      parts: {
        button: this.button,
        display: this.display,
        relay: this.relay,
        ...(this.#surplusMeter ? { surplus: () => this.surplus } : {}),
        ...(stage === undefined ? {} : { powerStages: new Map([[1, stage]]) }),
      },
      platform: this.#platform(),
      identity: { setupCode: parseSetupCode(this.#setupCode), discriminator: DISCRIMINATOR },
      firmware: '0.1.0',
      earliest: WORLD_NOW - 1000,
      port: this.#port,
      commissioningPort: 0,
      openWindow: this.#openWindow,
      ...(this.#enableKey === undefined ? {} : { testControl: this.#testControl(this.#enableKey) }),
    });
    this.device = device;
    await device.start();
  }

  #platform(): Platform {
    const { clock, crypto, log, multicast, flash: medium } = this;
    const platform: Platform = {
      clock,
      crypto,
      log,
      listener: nodeListener({ clock, log, ipv4: this.#ipv4 }),
      multicast,
      medium,
      ...(this.#portMapper === undefined ? {} : { portMapper: this.#portMapper }),
    };
    const about = { firmware: '0.1.0', board: this.#board.name, profile: this.profile.name };
    return this.#protocolLog === undefined ? platform : tapped(platform, about, this.#protocolLog);
  }

  #testControl(enableKey: string): TestControl {
    return new TestControl({ enableKey: parseEnableKey(enableKey, 'enableKey'), crypto: this.crypto, log: this.log });
  }

  get #ipv4(): boolean {
    return this.profile['discovery.ipv4'] === 'on';
  }

  get port(): number {
    return this.device.status.port;
  }

  async connect(options: Partial<PeerOptions> = {}): Promise<Peer> {
    const peer = await Peer.connect({ port: this.port, ...options });
    this.#peers.push(peer);
    return peer;
  }

  /** A short press of the button, taking virtual time. */
  async press(): Promise<void> {
    this.button.press();
    await this.clock.advance(100);
    this.button.release();
    await this.clock.advance(0);
  }

  /** Lets real sockets work until the condition holds; no virtual time passes. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + 60_000;
    while (!condition()) {
      if (Date.now() > deadline)
        throw new Error(
          `waited a minute for: ${what}; pending: ${this.clock
            .pending()
            .map((timer) => timer.name)
            .join(', ')}`,
        );
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Waits until the device waits for that deadline. */
  untilPending(name: string, count = 1): Promise<void> {
    return this.until(() => this.clock.pending().filter((timer) => timer.name === name).length >= count, `${count} × ${name} pending`);
  }

  async close(): Promise<void> {
    for (const peer of this.#peers) peer.destroy();
    const closed = this.device.close();
    let done = false;
    void closed.then(() => {
      done = true;
    });
    for (let i = 0; !done && i < 200; i++) {
      await this.clock.advance(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await closed;
  }
}
