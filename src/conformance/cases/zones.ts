import type { BlackBoxCase } from '../case.js';
import { answerText } from '../commissioning-peer.js';
import type { Trial } from '../trial.js';

const SOURCE = 'commissioning-pase §10, TC-ZONE';
const [DEVICE_INFO, REMOVE_ZONE, LIST_ZONES] = [1, 16, 17];

/** Commissions as many zones as there are slots. */
async function fill(t: Trial): Promise<number> {
  const slots = t.pics.number('MASH.S.ZONE.MAX_ZONES');
  for (let i = 0; i < slots; i++) {
    t.step(`zone ${i + 1} of ${slots}`);
    if (i > 0) await t.bench.openWindow();
    await t.bench.join(t.dialect, t.bench.kit(t.bench.kindOf(i)));
  }
  return slots;
}

export const ZONES: readonly BlackBoxCase[] = [
  {
    id: 'TC-ZONE-1',
    title: 'A second zone: both are active',
    source: SOURCE,
    pics: ['MASH.S.ZONE'],
    dialects: 'each',
    needs: ['window'],
    run: async (t) => {
      t.step('the first zone');
      const first = await t.bench.join(t.dialect, t.bench.kit(t.bench.kindOf(0)));
      t.step('the second zone');
      await t.bench.openWindow();
      const second = await t.bench.join(t.dialect, t.bench.kit(t.bench.kindOf(1)));
      t.step('Read in both, ListZones');
      await first.peer.read(0, DEVICE_INFO, 1);
      await second.peer.read(0, DEVICE_INFO, 1);
      const { status, payload } = await first.peer.invoke(0, DEVICE_INFO, LIST_ZONES);
      t.equal(status, 0, 'status of ListZones');
      const listed = payload.get('zones');
      t.holds(Array.isArray(listed) && listed.length >= 2, 'ListZones does not list both');
      return 'both answer, both are listed';
    },
  },
  {
    id: 'TC-ZONE-2',
    title: 'The last slot is taken: as many zones as the PICS says',
    source: SOURCE,
    pics: ['MASH.S.ZONE.MAX_ZONES'],
    dialects: 'each',
    needs: ['window'],
    run: async (t) => `${await fill(t)} zones active`,
  },
  {
    id: 'TC-ZONE-3',
    title: 'One zone more than there are slots is ZONE_FULL',
    source: SOURCE,
    pics: ['MASH.S.ZONE.MAX_ZONES'],
    dialects: 'each',
    needs: ['window'],
    run: async (t) => {
      const slots = await fill(t);
      t.step(`zone ${slots + 1}`);
      await t.bench.openWindow();
      if (!(await t.bench.windowOpen())) return 'no commissioning connection is taken while all slots are';
      const peer = await t.bench.commissioning(t.dialect, t.bench.kit(t.bench.kindOf(slots)));
      const answer = await peer.run('certInstall');
      if (answer.type === 'certAck' && answer.status === 0) t.holds((await peer.finish()) && false, `zone ${slots + 1} was taken`);
      t.equal(answerText(answer), t.per({ draft: 'PASE_CONFIRM 3', reference: 'ERROR 5' }), `answer to zone ${slots + 1}`);
      return answerText(answer);
    },
  },
  {
    id: 'TC-ZONE-4',
    title: 'The same Zone CA again is ALREADY_COMMISSIONED',
    source: SOURCE,
    pics: ['MASH.S.ZONE'],
    dialects: 'each',
    needs: ['window'],
    run: async (t) => {
      const zone = await t.bench.join(t.dialect);
      t.step('the same zone again');
      await t.bench.openWindow();
      const peer = await t.bench.commissioning(t.dialect, zone.kit);
      const answer = answerText(await peer.run('certInstall'));
      t.equal(answer, t.per({ draft: 'CERT_ACK 4', reference: 'ERROR 10' }), 'answer');
      t.step('Read by the zone as it was');
      await zone.peer.read(0, DEVICE_INFO, 1);
      return `${answer}; the zone stays`;
    },
  },
  {
    id: 'TC-ZONE-5',
    title: 'Of two controllers at once the second is rejected, the first goes on',
    source: SOURCE,
    pics: ['MASH.S.ZONE'],
    dialects: 'each',
    needs: ['window'],
    run: async (t) => {
      t.step('PASE_X of the first');
      const first = await t.bench.commissioning(t.dialect);
      t.equal(answerText(await first.run('paseX')), 'PASE_Y', 'answer to the first');
      t.step('PASE_X of the second');
      const second = await t.bench.commissioning(t.dialect);
      const answer = answerText(await second.run('paseX'));
      t.equal(answer, t.per({ draft: 'PASE_CONFIRM 16', reference: 'ERROR 5' }), 'answer to the second');
      t.step('the first to its end');
      t.equal(answerText(await first.run('certInstall', 'paseVerify')), 'CERT_ACK 0', 'end of the first');
      await first.finish();
      await t.bench.joined(first);
      return `${answer}; the first ends with CERT_ACK 0`;
    },
  },
  {
    id: 'TC-ZONE-REMOVE-001',
    title: 'RemoveZone answers, closes the zone, and takes its certificate back',
    source: 'reference-behaviour §4.6',
    pics: ['MASH.S.ZONE.REMOVE'],
    dialects: 'each',
    needs: ['window'],
    run: async (t) => {
      const zone = await t.bench.join(t.dialect);
      t.step('RemoveZone by the zone itself');
      const { status, payload } = await zone.peer.invoke(0, DEVICE_INFO, REMOVE_ZONE, { zoneId: zone.zoneId });
      t.equal(status, 0, 'status');
      t.equal(payload.get('removed'), true, 'removed');
      t.holds(await zone.peer.ends(5000), "the removed zone's connection stays open");
      t.bench.forget(zone);
      t.step('its certificate again');
      const late = await t.bench.operational(zone).catch(() => undefined);
      t.holds(late === undefined || (await late.ends(1000)), 'the certificate of the removed zone is still accepted');
      return 'removed, closed, refused afterwards';
    },
  },
];
