import { afterEach, expect, it } from 'vitest';
import { decodeMessage, encodeMessage, responseMessage } from '../../src/discovery/message.js';
import { recordPolicy, serviceRecords } from '../../src/discovery/service.js';
import { DeviceWorld } from '../world/device-world.js';
import { VirtualMulticast } from '../world/network.js';

const worlds: DeviceWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

it('nameConflicts of a device: another has MASH-1234; it is told, commissioned by code all the same, and free again when the other is silent', async () => {
  const world = await DeviceWorld.start({ openWindow: true });
  worlds.push(world);
  let stubborn = true;
  const rival = new VirtualMulticast([{ name: 'p0', link: world.link, addresses: ['fe80::99/64'] }]);
  const foreign = { type: '_mash-comm._tcp', instance: 'MASH-1234', port: 1, txt: [] };
  const { srv } = serviceRecords(foreign, ['other', 'local'], recordPolicy('draft', false));
  await rival.start({
    onPacket: (packet) => {
      const { questions, response } = decodeMessage(packet);
      const asks = questions.some(({ name }) => name[0] === 'MASH-1234' && name[1] === '_mash-comm');
      if (stubborn && !response && asks) rival.send('p0', encodeMessage(responseMessage({ answers: [srv] })));
    },
    onInterfaces: () => undefined,
    onError: () => undefined,
  });
  expect(world.device.status.nameConflicts).toEqual([]);
  await world.clock.advance(1000);
  expect(world.device.status.nameConflicts).toEqual(['MASH-1234._mash-comm._tcp.local']);
  expect(world.log.lines.some(({ message, fields }) => message === 'instance taken' && fields?.interface === 'eth0')).toBe(true);
  stubborn = false;
  await world.clock.advance(20_000);
  expect(world.device.status.nameConflicts).toEqual([]);
});
