import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { METER_STEP, meterArgument } from '../../src/cli/exposed-meter.js';
import { PROBE_DELAY } from '../../src/interaction/grid-meter.js';
import { Lines, lonely, type Ran, run } from './line.js';

describe('--expose-meter', () => {
  it('takes kW, several with commas', () => {
    expect(meterArgument('-6.9')).toEqual([-6_900_000]);
    expect(meterArgument('-6.9, 0,2.07')).toEqual([-6_900_000, 0, 2_070_000]);
  });

  it.each(['', 'much', '1,,2', '43.471', '-44', '1e3', '0.0000001'])('refuses %j: exit code 2', async (text) => {
    expect((await run(['--expose-meter', text, 'zones'], lonely)).code).toBe(2);
  });
});

describe('with a device', () => {
  let lines: Lines;
  beforeEach(async () => {
    lines = await Lines.start({ powerStage: true, set: { 'session.liveness': 'tcp' } });
    await lines.join('home');
  });
  afterEach(() => lines.close());

  it('a charger in PV_SURPLUS_ONLY follows the meter for as long as the command is connected', async () => {
    const { device } = lines.world;
    const mode = await lines.go('invoke', 'ChargingSession/setChargingMode', 'mode=PV_SURPLUS_ONLY');
    expect([mode.code, device.device.status.power]).toEqual([0, 0]);
    let interrupt: (() => void) | undefined;
    const argv = [...lines.zone('home'), '--expose-meter', '-6.9,0', 'limit', '11', '--hold'];
    const held: Promise<Ran> = run(argv, lines.machine, {
      onInterrupt: (stop) => {
        interrupt = stop;
        return () => {};
      },
    });
    await lines.world.drive(device.until(() => interrupt !== undefined, 'the limit to be held'));
    await device.clock.advance(PROBE_DELAY);
    await device.until(() => device.device.status.power === 6_900_000, 'the surplus');
    await device.clock.advance(METER_STEP);
    await device.clock.advance(1000);
    await device.until(() => device.device.status.power === 6_900_000, 'the same surplus, now drawn by the charger itself');
    interrupt?.();
    expect((await lines.world.drive(held)).code).toBe(0);
    await device.until(() => device.device.status.power === 0, 'no surplus without a meter');
  });
});
