import { parseQr } from '../../src/crypto/qr.js';
import { Advertiser } from '../../src/discovery/advertiser.js';
import { pairingRequestService } from '../../src/discovery/pairing-request.js';
import { recordPolicy } from '../../src/discovery/service.js';
import { failed, makeZone, StepController } from '../world/controller.js';
import { type DeviceWorld, DISCRIMINATOR } from '../world/device-world.js';
import { SeededEntropy } from '../world/entropy.js';
import { MemoryLog } from '../world/log.js';
import { VirtualMulticast } from '../world/network.js';
import { another, flag, type Lab, millisecondsUntil, type Seen, secondsUntil, toDeadline } from './lab.js';

/** Refusals leave without their delay, which no PICS tells. */
const AT_ONCE = { 'commissioning.errorDelay': '0', 'commissioning.busyCoolDown': '0' };
const isOpen = (world: DeviceWorld): boolean => world.device.status.qr !== undefined;

/** How long the window stays open, and what is shown meanwhile. */
export async function probeWindow(lab: Lab): Promise<Seen> {
  const world = await lab.device();
  const { qr = '' } = world.device.status;
  const shown = world.display.shown;
  const read = parseQr(qr);
  const length = await secondsUntil(world, () => !isOpen(world), 20_000);
  const asked = await lab.device({ windowAtStart: 'closed', set: { 'commissioning.openAtStart': 'never' } });
  const phone = new Advertiser({
    multicast: new VirtualMulticast([{ name: 'p0', link: asked.link, addresses: ['fe80::99/64'] }]),
    clock: asked.clock,
    entropy: new SeededEntropy(5),
    log: new MemoryLog(),
    hostName: 'mash-cccccccc.local',
    policy: recordPolicy('reference', false),
  });
  await phone.start();
  const service = pairingRequestService({ zoneId: '1a2b3c4d5e6f7081', zoneName: 'Home', discriminator: DISCRIMINATOR });
  phone.publish(service);
  const heeded = (await millisecondsUntil(asked, () => isOpen(asked), 5000)) < 5000;
  const keys = new Set(service.txt.map(([key]) => key));
  const pairing = heeded ? await secondsUntil(asked, () => !isOpen(asked), 20_000) : 0;
  return {
    'MASH.S.COMM.WINDOW_DURATION': length,
    'MASH.S.PASE.WINDOW_DURATION': length,
    'MASH.S.COMM.WINDOW_DURATION_PAIRING': pairing,
    'MASH.S.COMM.SETUP_CODE_BITS': Math.ceil(Math.log2(10 ** read.code.digits().length)),
    'MASH.S.COMM.DISCRIMINATOR_BITS': discriminatorBits(),
    'MASH.S.DISC.QR': flag(shown.kind === 'qr'),
    'MASH.S.DISC.QR_FORMAT': Number(qr.split(':')[1]),
    'MASH.S.DISC.MANUAL_ENTRY': flag(JSON.stringify(shown).includes(read.code.digits())),
    'MASH.S.DISC.PAIRING_REQUEST': flag(heeded),
    'MASH.S.DISC.TXT_D_PAIRING': flag(heeded && keys.has('D')),
    'MASH.S.DISC.TXT_ZI': flag(heeded && keys.has('ZI')),
    'MASH.S.DISC.TXT_ZN': flag(heeded && keys.has('ZN')),
  };
}

/** The longest discriminator that a label can have. */
function discriminatorBits(): number {
  const fits = (value: number): boolean => {
    try {
      parseQr(`MASH:1:${value}:20220211`);
      return true;
    } catch {
      return false;
    }
  };
  let bits = 0;
  while (fits(2 ** (bits + 1) - 1)) bits += 1;
  return bits;
}

/** What the device waits for in each state, with a controller that falls silent. */
export async function probeWaits(lab: Lab): Promise<Seen> {
  const wait = async (state: string, messages: number): Promise<number> => {
    const world = await lab.device();
    const steps = new StepController(await world.connect(), 'draft', makeZone('Home', 3));
    for (const step of steps.steps.slice(0, messages)) {
      step();
      steps.take(await steps.receive());
    }
    const begun = world.clock.now();
    await world.untilPending(state);
    await toDeadline(world, state);
    await steps.peer.end();
    return (world.clock.now() - begun) / 1000;
  };
  const first = await wait('PASE_WAIT_X', 0);
  const [pase, csr, certificate] = [await wait('PASE_WAIT_V', 1), await wait('PASE_VERIFIED', 2), await wait('CERT_WAIT', 3)];
  return {
    'MASH.S.COMM.PASE_WAIT_X': first,
    'MASH.S.COMM.PASE_TIMEOUT': pase,
    'MASH.S.PASE.PASE_TIMEOUT': pase,
    'MASH.S.COMM.CSR_TIMEOUT': csr,
    'MASH.S.PASE.CSR_TIMEOUT': csr,
    'MASH.S.COMM.CERT_TIMEOUT': certificate,
    'MASH.S.PASE.CERT_TIMEOUT': certificate,
  };
}

/** A whole conversation of another implementation's arithmetic, one that is busy, and wrong codes. */
export async function probeConversation(lab: Lab): Promise<Seen> {
  const world = await lab.device({ set: AT_ONCE });
  const first = new StepController(await world.connect(), 'draft', makeZone('Home', 3));
  first.paseX();
  first.take(await first.receive());
  const rival = new StepController(await world.connect(), 'reference', makeZone('Grid', 1, 1, 'GRID'));
  rival.paseX();
  const busy = await rival.receive();
  for (const step of first.steps.slice(1, 2)) step();
  first.take(await first.receive());
  first.send({ type: 'attestationReq' });
  const attested = await first.receive();
  first.csrReq();
  first.take(await first.receive());
  first.certInstall();
  const done = await first.receive();
  await first.finish();
  const right = !failed(done) && done.type === 'certAck';
  let delays = 0;
  let refused = 0;
  for (let attempt = 0; attempt < 12; attempt++) {
    if (!isOpen(world)) {
      await world.clock.advance(20_000);
      await world.press();
    }
    const wrong = new StepController(await world.connect(), 'draft', makeZone('X', 4), { code: '20220212' });
    wrong.paseX();
    await world.until(
      () => wrong.peer.pendingFrames > 0 || wrong.peer.closed || world.clock.pending().some(({ name }) => name.startsWith('pace')),
      'an answer or a pace',
    );
    while (wrong.peer.pendingFrames === 0 && !wrong.peer.closed && world.clock.pending().some(({ name }) => name.startsWith('pace'))) {
      delays += 1;
      await world.clock.advance(10_000);
    }
    const answer = await wrong.receive();
    if (answer.type !== 'paseY') refused += 1;
    else {
      wrong.takeY(answer);
      wrong.paseVerify();
      await wrong.peer.next();
    }
    wrong.peer.destroy();
  }
  const suite = right
    ? { group: 'P-256', hash: 'SHA-256', kdf: 'HKDF-SHA256', mac: 'HMAC-SHA256' }
    : { group: '', hash: '', kdf: '', mac: '' };
  return {
    'MASH.S.COMM': flag(right),
    'MASH.S.COMM.PASE': flag(right),
    'MASH.S.COMM.PASE_GROUP': suite.group,
    'MASH.S.COMM.PASE_HASH': suite.hash,
    'MASH.S.COMM.PASE_KDF': suite.kdf,
    'MASH.S.COMM.PASE_MAC': suite.mac,
    'MASH.S.PASE.GROUP': suite.group.replaceAll('-', ''),
    'MASH.S.PASE.HASH': suite.hash.replaceAll('-', ''),
    'MASH.S.PASE.KDF': suite.kdf.replaceAll('-', '_'),
    'MASH.S.PASE.MAX_CONCURRENT': busy.type === 'error' ? 1 : 2,
    'MASH.S.PASE.RETRY_LIMIT': refused,
    'MASH.S.PASE.RETRY_BACKOFF': flag(delays > 0),
    'MASH.S.COMM.ATTESTATION': flag(attested.type === 'attestationRsp'),
    'MASH.S.PASE.ATTESTATION': flag(attested.type === 'attestationRsp'),
    'MASH.S.COMM.ATTESTATION_CERT': flag(attested.type === 'attestationRsp' && attested.certificate.length > 0),
    'MASH.S.COMM.ERR_BUSY': flag(busy.type === 'error' && busy.code === 5),
    'MASH.S.COMM.ERR_BUSY_RETRY_AFTER': flag(busy.type === 'error' && busy.retryAfter !== undefined),
    'MASH.S.TRANS.RECONNECT_AFTER_COMM': flag(first.peer.closed),
  };
}

/** Zones until one is refused, of each type and dialect. */
export async function probeZones(lab: Lab): Promise<Seen> {
  const world = await lab.device({ set: { 'session.liveness': 'tcp', ...AT_ONCE } });
  const none = world.device.status.zones.length;
  let slots = 0;
  for (const type of [3, 1, 2, 4, 3, 1, 2, 4]) {
    const last = await (await another(world, 'draft', type)).run();
    if (failed(last) || last.type !== 'certAck') break;
    slots += 1;
  }
  await world.close();
  world.flash.powerUp();
  await world.boot();
  const kept = world.device.status.zones.length;
  const accepted = async (dialect: 'draft' | 'reference', type: number, ou?: 'GRID' | 'LOCAL'): Promise<number> => {
    const fresh = await lab.device({ set: AT_ONCE });
    return flag(!failed(await (await another(fresh, dialect, type, ou)).run()));
  };
  const same = await lab.device({ set: AT_ONCE });
  await (await another(same, 'reference', 3, 'LOCAL')).run();
  const again = await (await another(same, 'reference', 3, 'LOCAL')).run();
  const tokened = await lab.device({ set: AT_ONCE });
  const token = await another(tokened, 'draft', 3);
  const judged = failed(await new StepController(token.peer, 'draft', token.zone, { token: new Uint8Array(8) }).run());
  return {
    'MASH.S.ZONE': flag(slots > 0),
    'MASH.S.ZONE.ADD': flag(slots > 0),
    'MASH.S.ZONE.MAX_ZONES': slots,
    'MASH.S.ZONE.MAX': slots,
    'MASH.S.CERT.MAX_ZONES': slots,
    'MASH.S.PASE.MAX_ZONES': slots,
    'MASH.S.ZONE.CURRENT_COUNT': none,
    'MASH.S.CERT.PERSISTENT': flag(kept === slots),
    'MASH.S.ZONE.GRID_OPERATOR': await accepted('draft', 1),
    'MASH.S.ZONE.BUILDING_MANAGER': await accepted('draft', 2),
    'MASH.S.ZONE.HOME_MANAGER': await accepted('draft', 3),
    'MASH.S.ZONE.USER_APP': await accepted('draft', 4),
    'MASH.S.ZONE.GRID': await accepted('reference', 1, 'GRID'),
    'MASH.S.ZONE.LOCAL': await accepted('reference', 3, 'LOCAL'),
    'MASH.S.COMM.ERR_ZONE_TYPE_EXISTS': flag(again.type === 'error' && again.code === 10),
    'MASH.S.ZONE.ADMIN_DELEGATION': flag(judged),
    'MASH.S.PASE.ADMIN_DELEGATION': flag(judged),
  };
}
