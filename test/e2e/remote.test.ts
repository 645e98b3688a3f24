import { beforeAll, describe, expect, it } from 'vitest';
import { NetWorld, QR } from '../world/net-world.js';
import { namespacesRefused, runInNamespace } from '../world/netns.js';
import { bundle } from '../world/project.js';

interface Line {
  readonly ready?: boolean;
  readonly action?: string;
  readonly message?: string;
  readonly address?: string;
  readonly port?: number;
  readonly manner?: string;
  readonly pinholes?: readonly number[];
}

const title = namespacesRefused === undefined ? 'remote.portMapping' : `SKIPPED: ${namespacesRefused}`;

describe.skipIf(namespacesRefused !== undefined)(title, () => {
  beforeAll(async () => {
    await bundle('mash-device');
    await bundle('mash-controller');
  });

  it('issue 5: the shipped device opens its port with its first zone, with the optional package beside its bundle, and closes it at SIGTERM', async () => {
    await NetWorld.run(3, async (world, [device, controller, router]) => {
      if (router === undefined) return expect.fail('three namespaces are due');
      const at = [router.interfaceName, router.global, router.ipv4];
      const gateway = await runInNamespace(router, new URL('../node/fixtures/fake-router.ts', import.meta.url), ...at);
      await gateway.heard<Line>(({ ready }) => ready === true);
      const running = await world.device(device, 'device', ['--open-window', '--set', 'remote.portMapping=upnp']);
      expect((await world.controller(controller, 'commission', QR)).code).toBe(0);
      const opened = await running.heard<Line>(({ message }) => message === 'the operational port is open to the internet');
      expect(opened).toMatchObject({ address: device.global, port: 8443 });
      await running.stop();
      expect(await running.exited()).toBe(0);
      await gateway.heard<Line>(({ action }) => action === 'DeletePinhole');
      gateway.tell('honest');
      expect((await gateway.heard<Line>(({ manner }) => manner === 'honest')).pinholes).toEqual([]);
      expect(running.unheard).toContainEqual(expect.objectContaining({ message: 'the port on the router is closed' }));
    });
  });
});
