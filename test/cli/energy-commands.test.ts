import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Lines, lonely, run } from './line.js';

const alone = (...argv: string[]) => run(['--zone', '/nowhere', ...argv], lonely);

describe('usage errors: exit code 2, before anything is touched', () => {
  it.each([
    [['limit'], /missing required argument/],
    [['limit', 'x'], /kilowatts: 'x' is not a number of kW/],
    [['limit', '4,2'], /kilowatts: '4,2' is not a number of kW/],
    [['limit', '0.0000001'], /kilowatts: .* is finer than one mW/],
    [['limit', 'a', '1', '2'], /limit: the power in kW comes last/],
    [['limit', '4', '--duration', '0'], /--duration: '0' is not a number of 1…86400/],
    [['limit', '4', '--cause', 'GRID_EMERGENC'], /--cause: .*the closest is 'GRID_EMERGENCY'/],
    [['setpoint', '4', '--cause', 'SELF'], /--cause: .*the closest is/],
    [['clear', '--of', 'limit'], /--of: .*the closest is 'limits'/],
    [['pause', '--duration', '90000'], /--duration: '90000' is not a number of 1…86400/],
    [['failsafe', '--limit', 'much'], /--limit: 'much' is not a number of kW/],
    [['resume', '--endpoint', '256'], /--endpoint: '256'/],
  ])('%j', async (argv, message) => {
    expect(await alone(...argv)).toMatchObject({ code: 2, out: '', err: expect.stringMatching(message) });
  });

  it('without a zone: exit code 3', async () => {
    for (const argv of [['limit', '4'], ['clear'], ['setpoint', '4'], ['pause'], ['resume'], ['stop'], ['failsafe']])
      expect(await alone(...argv)).toMatchObject({ code: 3, err: expect.stringContaining('There is no zone') });
  });
});

describe('with a device', () => {
  let lines: Lines;
  beforeEach(async () => {
    lines = await Lines.start({ powerStage: true });
    await lines.join('home');
  });
  afterEach(() => lines.close());
  const { go, json } = { go: (...argv: string[]) => lines.go(...argv), json: (...argv: string[]) => lines.json(...argv) };

  it("limit: kW for people, the protocol's units as JSON; clear takes it back", async () => {
    const said = await go('limit', '4.2');
    expect(said).toMatchObject({ code: 0 });
    expect(said.out).toBe('applied                    true\ncontrolState               LIMITED\neffectiveConsumptionLimit  4.2 kW\n');
    expect(await json('limit', '5', '--cause', 'grid_emergency'.toUpperCase(), '--duration', '900')).toMatchObject({
      code: 0,
      value: { endpoint: 1, command: 'setLimit', result: { applied: true, controlState: 2, effectiveConsumptionLimit: 5_000_000 } },
    });
    expect(await go('clear', '--production')).toMatchObject({ code: 0, out: 'success  true\n' });
    expect((await go('limit', '6')).out).toContain('effectiveConsumptionLimit  6 kW');
    expect(await go('clear')).toMatchObject({ code: 0 });
    expect((await go('read', 'EnergyControl/effectiveConsumptionLimit')).out).toBe('effectiveConsumptionLimit  -\n');
  });

  it('a device is named before the power; the power comes last', async () => {
    const [device] = JSON.parse((await go('devices', '--json')).out);
    expect(await go('limit', device.id.slice(0, 6), '3')).toMatchObject({ code: 0 });
    expect(await go('limit', 'nobody', '3')).toMatchObject({ code: 3, err: expect.stringContaining('Its devices:') });
  });

  it('features.md §3: in OVERRIDE limits of cause 0 and 2 alone are taken', async () => {
    const override = async (): Promise<void> => {
      const { button, clock } = lines.world.device;
      await lines.away();
      button.press();
      await clock.advance(3500);
      button.release();
      await clock.advance(0);
    };
    await override();
    expect(await json('limit', '3')).toMatchObject({ code: 1, value: { error: { code: 'REFUSED', status: 'DEVICE_OVERRIDE' } } });
    // The override ended with the failsafe that the end of this connection began.
    await override();
    expect(await json('limit', '3', '--cause', 'LOCAL_PROTECTION')).toMatchObject({ code: 0, value: { result: { controlState: 4 } } });
  });

  it.each([
    [['limit', '--', '-1'], 'INVALID_VALUE'],
    [['limit', '100'], 'CONSTRAINT'],
    [['setpoint', '--', '-1'], 'CONSTRAINT'],
    [['clear', '--of', 'current-setpoints'], 'UNSUPPORTED'],
    [['failsafe', '--limit', '100'], 'CONSTRAINT'],
    [['failsafe', '--duration', '7199'], 'CONSTRAINT'],
    [['limit', '4', '--endpoint', '9'], 'UNKNOWN_ENDPOINT'],
    [['limit', '4', '--endpoint', '0'], 'UNKNOWN_FEATURE'],
  ])('%j is refused with the name %s: exit code 1', async (argv, status) => {
    const ran = await lines.go('--json', ...argv);
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.out)).toMatchObject({ error: { code: 'REFUSED', status } });
    expect(ran.err).toContain(status);
  });

  it('limits of production have a direction of their own', async () => {
    expect(await json('limit', '0', '--production')).toMatchObject({ value: { result: { effectiveProductionLimit: 0 } } });
    const values = JSON.parse((await go('read', 'EnergyControl', '--json')).out).values;
    expect(values).toMatchObject({ effectiveConsumptionLimit: null, myProductionLimit: 0 });
    expect(await go('clear', '--consumption')).toMatchObject({ code: 0 });
    expect((await go('read', 'EnergyControl/myProductionLimit')).out).toBe('myProductionLimit  0 kW\n');
  });

  it('setpoint, pause, resume, stop', async () => {
    expect(await go('setpoint', '3.5', '--duration', '60')).toMatchObject({ code: 0, err: expect.stringContaining('--hold keeps it') });
    expect(await go('clear', '--of', 'setpoints')).toMatchObject({ code: 0 });
    expect(await go('pause')).toMatchObject({ code: 0 });
    expect((await go('read', 'EnergyControl/processState')).out).toBe('processState  PAUSED\n');
    expect(await go('resume')).toMatchObject({ code: 0 });
    expect(await go('stop')).toMatchObject({ code: 0 });
    expect(await json('pause')).toMatchObject({ code: 1, value: { error: { status: 'CONSTRAINT' } } });
  });

  it('failsafe shows, and writes what is named', async () => {
    const before = await json('failsafe');
    expect(before).toMatchObject({ code: 0, value: { values: { failsafeDuration: 14_400 } } });
    const after = await go('failsafe', '--limit', '4.2', '--production-limit', '0', '--duration', '7200');
    expect(after.out).toMatch(
      /^controlState {14}CONTROLLED\nfailsafeConsumptionLimit {2}4\.2 kW\nfailsafeProductionLimit {3}0 kW\nfailsafeDuration {10}7200 s\n$/,
    );
  });

  it('--hold keeps the connection, and with it the setpoint, until Ctrl-C', async () => {
    let stop = (): void => {};
    const onInterrupt = (given: () => void) => {
      stop = given;
      return () => {};
    };
    let said = '';
    const out = (text: string): void => {
      said += text;
    };
    const io = { out, onInterrupt };
    const holding = run([...lines.zone('home'), 'setpoint', '3.5', '--hold'], lines.machine, io);
    await lines.world.until(() => said !== '');
    expect(said).toBe('success  true\n');
    const held = (): unknown => lines.world.device.device.status.zones[0]?.connected;
    expect(held()).toBe(true);
    await lines.world.device.clock.advance(1000);
    expect(held()).toBe(true);
    stop();
    expect(await lines.world.drive(holding)).toMatchObject({ code: 0 });
    await lines.away();
  });

  it('--hold ends with the connection: exit code 1', async () => {
    let said = '';
    const out = (text: string): void => {
      said += text;
    };
    const holding = run([...lines.zone('home'), 'limit', '3', '--hold'], lines.machine, { out });
    await lines.world.until(() => said !== '');
    // A zone has one connection.
    await lines.go('ping');
    expect(await lines.world.drive(holding)).toMatchObject({ code: 1, err: expect.stringContaining('The connection to the device ended') });
  });

  it('two zones: the smaller limit holds; a zone of lower priority may not write the failsafe', async () => {
    await lines.join('grid');
    await lines.as('grid', 'limit', '6');
    expect((await lines.as('home', 'limit', '8')).out).toContain('effectiveConsumptionLimit  6 kW');
    expect((await lines.as('home', 'limit', '5')).out).toContain('effectiveConsumptionLimit  5 kW');
    expect((await lines.as('grid', 'clear')).code).toBe(0);
    expect(await lines.as('home', 'failsafe', '--duration', '7200')).toMatchObject({
      code: 1,
      err: expect.stringContaining('NOT_AUTHORIZED'),
    });
  });
});
