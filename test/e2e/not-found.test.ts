import { beforeAll, describe, expect, it } from 'vitest';
import { NetWorld, QR, type Sighting } from '../world/net-world.js';
import { ip, namespacesRefused, runInNamespace } from '../world/netns.js';
import { bundle } from '../world/project.js';

const title = namespacesRefused === undefined ? 'nobody, nowhere, not there, not yet' : `SKIPPED: ${namespacesRefused}`;
const WINDOW = new URL('../node/fixtures/mdns-window.ts', import.meta.url);

// Most of their time is the four looks of connection-establishment §7.5, so that they run side by side.
describe.skipIf(namespacesRefused !== undefined).concurrent(title, () => {
  beforeAll(async () => {
    await bundle('mash-device');
    await bundle('mash-controller');
  });

  it('TC-NOTFOUND-1: no device', async () => {
    await NetWorld.run(2, async (world, [one, two]) => {
      const [listed, commissioned] = await Promise.all([
        world.controllerOf('a', one, 'discover'),
        world.controllerOf('b', two, 'commission', QR),
      ]);
      const error = { code: 'NO_DEVICES_FOUND', message: 'No devices found in pairing mode', retryAction: 'browse' };
      expect(listed).toMatchObject({ code: 3, json: { error } });
      expect(commissioned).toMatchObject({ code: 3, json: { error } });
      expect(commissioned.progress).toContain('its commissioning window may end soon');
    });
  });

  it('TC-NOTFOUND-3: SRV, and no address', async () => {
    await NetWorld.run(2, async (world, [device, controller]) => {
      const window = await runInNamespace(device, WINDOW);
      await window.heard<{ event: string }>((line) => line.event === 'started');
      expect(await world.controller(controller, 'commission', QR)).toMatchObject({
        code: 3,
        json: { error: { code: 'ADDRESS_RESOLUTION_FAILED', retryAction: 'browse' } },
      });
    });
  });

  it('TC-NOTFOUND-4: an address where nobody listens: looked for once more, then told', async () => {
    await NetWorld.run(2, async (world, [device, controller]) => {
      const window = await runInNamespace(device, WINDOW, '4711');
      await window.heard<{ event: string }>((line) => line.event === 'started');
      const ended = await world.controller(controller, '--verbose', 'commission', QR);
      expect(ended).toMatchObject({
        code: 3,
        json: {
          error: { code: 'CONNECTION_FAILED', message: expect.stringContaining('Cannot connect to device'), retryAction: 'connect' },
        },
      });
      expect(ended.progress).toContain('not at the addresses that were found; looked for again');
    });
  });

  it('TC-NOTFOUND-5: a device that appears after a look in vain is commissioned', async () => {
    await NetWorld.run(3, async (world, [device, controller, other]) => {
      if (other === undefined) return expect.fail('three namespaces are due');
      const watcher = await world.watcher(other, '_mashp._udp');
      const commissioned = world.controller(controller, 'commission', QR);
      // The controller asks the device to open its window once a look has been in vain.
      await watcher.heard<Sighting>((line) => line.type === '_mashp._udp' && line.event === 'added');
      await world.device(device, 'device', ['--open-window']);
      expect((await commissioned).code).toBe(0);
      await watcher.heard<Sighting>((line) => line.type === '_mashp._udp' && line.event === 'removed');
    });
  });

  it('a stale address beside the good one: the device is reached all the same', async () => {
    await NetWorld.run(2, async (world, [device, controller]) => {
      await world.device(device, 'device', ['--open-window']);
      // The best of its addresses is nobody's any more: what is sent there goes to a station that is gone.
      const gone = ['lladdr', '02:00:00:00:00:99', 'nud', 'permanent'];
      await ip('-n', controller.name, 'neigh', 'add', device.ula, 'dev', controller.interfaceName, ...gone);
      const { code, progress } = await world.controller(controller, 'commission', QR);
      expect([code, progress]).toEqual([0, expect.stringContaining(device.global)]);
    });
  });
});
