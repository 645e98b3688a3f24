import { afterEach, describe, expect, it } from 'vitest';
import { commissionableDevices } from '../../src/controller/commissionable.js';
import { parseSetupCode } from '../../src/crypto/setup-code.js';
import { Advertiser } from '../../src/discovery/advertiser.js';
import { commissionableUdpService } from '../../src/discovery/mash-services.js';
import { recordPolicy } from '../../src/discovery/service.js';
import { DeviceWorld, DISCRIMINATOR } from '../world/device-world.js';
import { SeededEntropy } from '../world/entropy.js';
import { VirtualMulticast } from '../world/network.js';
import { ControllerWorld } from './world.js';

const LABEL = { vendorId: 0x1234, productId: 0x0001 };
const OTHER = { vendorId: 0x4321, productId: 0x0002 };

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function start(): Promise<ControllerWorld> {
  const world = await ControllerWorld.start();
  open.push(world);
  return world;
}

/** Another device on the same link: same discriminator, another code, another host. */
async function twin(world: ControllerWorld, number: number, announced = OTHER): Promise<DeviceWorld> {
  const device = await DeviceWorld.start({ setupCode: '20220212' });
  const advertiser = new Advertiser({
    multicast: new VirtualMulticast([{ name: 'eth0', link: world.device.link, addresses: [`fe80::${number}/64`] }]),
    clock: world.device.clock,
    entropy: new SeededEntropy(number),
    log: world.device.log,
    hostName: `mash-0000000${number}.local`,
    policy: recordPolicy('draft', false),
  });
  open.push(device, { close: () => world.drive(advertiser.close()) });
  await advertiser.start();
  const service = commissionableUdpService({
    discriminator: DISCRIMINATOR,
    ...announced,
    deviceType: 'EVSE',
    port: device.port,
  });
  advertiser.publish({ ...service, instance: `${service.instance} (${number})` });
  await world.device.clock.advance(6000);
  return device;
}

describe('two devices with one discriminator (discovery §5.3)', () => {
  it("the label's vendor and product are tried first, and the other never", async () => {
    const world = await start();
    const other = await twin(world, 2);
    const { device } = await world.commission(LABEL);
    expect(device.discriminator).toBe(DISCRIMINATOR);
    expect(world.told.filter((step) => step.startsWith('6'))).toEqual(['6']);
    expect(other.device.status.zones).toEqual([]);
  });

  it('the setup code tells which one is meant: after a wrong one the next is tried', async () => {
    const world = await start();
    const other = await twin(world, 2);
    const { device } = await world.commission(OTHER);
    expect(device.state).toBe('confirmed');
    expect(world.told.slice(0, 10)).toEqual(['1', '2', '3', '4', '5', '6 failed', '2', '4', '5', '6']);
    expect([other.device.status.zones.length, world.device.device.status.zones.length]).toEqual([0, 1]);
  });

  it('after three the code is wrong', async () => {
    const world = await start();
    for (const number of [2, 3, 4]) await twin(world, number);
    // A code of none of the four: which three are found first is chance.
    const code = parseSetupCode('20220213');
    await expect(world.commission({ ...OTHER, code })).rejects.toMatchObject({ code: 'WRONG_CODE' });
    expect(world.told.filter((step) => step === '6 failed')).toHaveLength(3);
    expect(await world.parts.store.devices()).toEqual([]);
  });

  it('where there is no other, the wrong code is told', async () => {
    const world = await start();
    const other = await twin(world, 2);
    await world.device.device.close();
    await expect(world.commission(LABEL)).rejects.toMatchObject({ code: 'WRONG_CODE' });
    expect(world.told.filter((step) => step === '6 failed')).toHaveLength(1);
    expect(other.device.status.zones).toEqual([]);
  });
});

it.each([
  ['1234:0001', LABEL],
  ['1234:1', LABEL],
  ['ABCD:0002', { vendorId: 0xabcd, productId: 2 }],
  ['12345:0001', {}],
  ['1234', {}],
  ['', {}],
])('TXT VP=%s', (text, expected) => {
  const [device] = commissionableDevices([
    {
      kind: 'complete',
      instance: 'MASH-7',
      type: '_mashc._udp',
      host: 'a.local',
      port: 1,
      txt: new Map([['VP', text]]),
      addresses: [],
      interfaceName: 'eth0',
    },
  ]);
  expect(device).toMatchObject({ discriminator: 7, vendorId: undefined, productId: undefined, ...expected });
});
