import { expect, test } from 'vitest';
import { MockFlash } from '../../hal/mock/flash.js';
import { EnergyControlCore } from '../../src/failsafe/energy-control-core.js';
import type { EnergyConfig } from '../../src/failsafe/energy-state.js';
import type { StageTarget } from '../../src/failsafe/stage-target.js';
import { Journal } from '../../src/store/journal.js';
import type { ZoneRank } from '../../src/zones/resolution.js';
import { VirtualClock } from '../world/clock.js';
import { SeededEntropy } from '../world/entropy.js';
import { MemoryLog } from '../world/log.js';
import { Oracle, type OracleRules, PLAIN } from './oracle.js';
import { APP, CONFIG, DEFAULTS, GRID, HOME, RATINGS } from './world.js';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const DISTURBANCES = 1000;
const FULL = DEFAULTS.failsafeDuration * 1000;
const [FAILSAFE_LIMIT] = DEFAULTS.failsafeLimits;
const ZONES = [GRID, HOME, APP];
/** Every micro-task: the flash in memory needs no time. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** EnergyControl on a journal of its own, through power cycles. `moments`: every target of the power stage and when it came, in powered time. */
class Timeline {
  readonly flash = new MockFlash({ sectorSize: 65_536, sectorCount: 2 });
  readonly moments: { at: number; target: StageTarget }[] = [];
  /** When a timed limit of a zone ended by itself. */
  readonly ended: { at: number; zone: string }[] = [];
  clock = new VirtualClock();
  core!: EnergyControlCore;
  readonly #config: EnergyConfig;
  #before = 0;

  constructor({ variant, hold, grace }: OracleRules) {
    this.#config = { ...CONFIG, variant, failsafe: { grace, afterDuration: hold ? 'hold' : 'autonomous' } };
  }

  get now(): number {
    return this.#before + this.clock.now();
  }

  async boot(): Promise<void> {
    const log = new MemoryLog();
    const journal = await Journal.open(this.flash, log);
    const parts = {
      config: this.#config,
      defaults: DEFAULTS,
      ratings: RATINGS,
      endpoint: 1,
      zones: ZONES,
      clock: this.clock,
      journal,
      log,
    };
    this.core = new EnergyControlCore(parts, {
      onTarget: (target) => this.moments.push({ at: this.now, target }),
      onChanged: (ids, zone) => {
        if (zone !== undefined && ids.includes(21) && this.core.read(21, zone) === null) this.ended.push({ at: this.now, zone });
      },
    });
    this.moments.push({ at: this.now, target: this.core.target });
  }

  /** Monotonic time begins anew; the wall is whatever it was. */
  async reboot(): Promise<void> {
    await turn();
    this.core.close();
    this.#before = this.now;
    this.flash.powerOff();
    this.flash.powerUp();
    this.clock = new VirtualClock(this.clock.wall());
    await this.boot();
  }
}

/** Strictest of what the zones and the failsafe ask for; what the device may do at this moment at most. */
function checkMoments(timeline: Timeline, oracle: Oracle): void {
  for (const { at, target } of timeline.moments.splice(0)) {
    oracle.advance(at - oracle.now);
    expect([at, ...target.ceiling]).toEqual([at, oracle.ceiling(0), oracle.ceiling(1)]);
  }
}

test.each<readonly [string, number, OracleRules]>([
  ['draft', 1, PLAIN],
  ['draft, a grace of half an hour', 2, { ...PLAIN, grace: HOUR / 2 }],
  ['draft, hold', 3, { ...PLAIN, hold: true }],
  ['reference', 4, { ...PLAIN, variant: 'r' }],
])(
  '24 h with 1,000 losses, reboots and jumps of the clock, %s, seed %i: never above the strictest limit, timers within one per cent',
  async (_name, seed, rules) => {
    const chance = new SeededEntropy(seed);
    const timeline = new Timeline(rules);
    const oracle = new Oracle(ZONES, rules);
    const full = FULL + rules.grace;
    const timed = new Map<string, { from: number; seconds: number }>();
    const seen = { losses: 0, reboots: 0, jumps: 0, presses: 0, failsafesOver: 0, held: 0, timersOver: 0 };
    /** Powered time since the last connection was lost, and the reboots in it; undefined while one is there or failsafe is over. */
    let alone: { since: number; reboots: number } | undefined = { since: 0, reboots: 0 };
    await timeline.boot();
    checkMoments(timeline, oracle);

    const pass = async (milliseconds: number): Promise<void> => {
      await timeline.clock.advance(milliseconds, 20);
      for (const { at, zone } of timeline.ended.splice(0)) {
        const timer = timed.get(zone);
        if (timer === undefined) continue;
        expect(Math.abs(at - timer.from - timer.seconds * 1000)).toBeLessThanOrEqual(timer.seconds * 10);
        timed.delete(zone);
        seen.timersOver += 1;
      }
      checkMoments(timeline, oracle);
      oracle.advance(timeline.now - oracle.now);
    };
    const check = (): void => {
      timeline.ended.length = 0;
      checkMoments(timeline, oracle);
      oracle.look();
      const { state, target } = timeline.core;
      expect([state.control, ...target.ceiling]).toEqual([oracle.state, oracle.ceiling(0), oracle.ceiling(1)]);
      if (alone === undefined) return;
      // Without the oracle: whoever is alone obeys the failsafe limit for all of its duration, and for a step of the journal a reboot longer at most.
      const lasted = timeline.now - alone.since;
      if (lasted < full || rules.hold) expect(target.ceiling[0]).toBeLessThanOrEqual(FAILSAFE_LIMIT as number);
      else if (lasted > full + alone.reboots * 60_000) expect([0, 4]).toContain(state.control);
      if (rules.hold && lasted > full) seen.held += 1;
      if (state.control === 0) {
        seen.failsafesOver += 1;
        alone = undefined;
      }
    };
    const lose = (zone: ZoneRank): void => {
      timeline.core.dispatch({ type: 'zoneDisconnected', zoneId: zone.id });
      oracle.lose(zone);
      if (alone === undefined && oracle.state === 3) alone = { since: timeline.now, reboots: 0 };
    };

    let disturbed = 0;
    while (timeline.now < DAY || disturbed < DISTURBANCES) {
      await pass(chance.below((2 * DAY) / (DISTURBANCES * 1.7)));
      check();
      // Every other three hours nobody returns: long enough for the failsafe to end.
      const dark = Math.floor(timeline.now / (3 * HOUR)) % 2 === 1;
      const zone = ZONES[chance.below(ZONES.length)] as ZoneRank;
      const what = chance.below(10);
      if (what < 3) {
        for (const each of chance.below(2) === 0 ? ZONES : [zone]) lose(each);
        seen.losses += 1;
        disturbed += 1;
      } else if (what < 4) {
        await timeline.reboot();
        oracle.restart();
        timed.clear();
        if (alone !== undefined) alone.reboots += 1;
        else if (oracle.state === 3) alone = { since: timeline.now, reboots: 0 };
        seen.reboots += 1;
        disturbed += 1;
      } else if (what < 6) {
        timeline.clock.setWall([0, 4e12, timeline.clock.wall() + HOUR, timeline.clock.wall() - HOUR][chance.below(4)] as number);
        seen.jumps += 1;
        disturbed += 1;
      } else if (what < 7 && chance.below(8) === 0) {
        timeline.core.dispatch({ type: 'press' });
        oracle.press();
        seen.presses += 1;
      } else if (!dark && (what < 8 || !oracle.connected.has(zone))) {
        timeline.core.dispatch({ type: 'zoneConnected', zone });
        oracle.connect(zone);
        timed.delete(zone.id);
        alone = undefined;
      } else if (oracle.connected.has(zone)) {
        const value = chance.below(12) * 1_000_000;
        const seconds = chance.below(2) * (1 + chance.below(1200));
        // In the user's override cause 0 alone acts.
        const cause = oracle.overridden ? 0 : chance.below(2);
        await timeline.core.execute(zone, { name: 'setLimit', values: [value, undefined], duration: seconds, cause });
        oracle.set('limit', zone, 0, 'all', value, seconds, cause);
        if (seconds === 0) timed.delete(zone.id);
        else timed.set(zone.id, { from: timeline.now, seconds });
      }
      check();
    }
    timeline.core.close();
    expect(disturbed).toBeGreaterThanOrEqual(DISTURBANCES);
    const { failsafesOver, held, ...always } = seen;
    for (const [what, count] of Object.entries(always)) expect(count, what).toBeGreaterThan(1);
    expect(rules.hold ? held : failsafesOver).toBeGreaterThan(1);
  },
);
