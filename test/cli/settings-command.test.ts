import { describe, expect, it } from 'vitest';
import { parseDeviceArguments } from '../../src/cli/device-arguments.js';
import { makeProfile, PROFILE_TABLE } from '../../src/profile.js';

async function printed(...argv: readonly string[]): Promise<string> {
  let text = '';
  const parsed = parseDeviceArguments(
    argv,
    false,
    (more) => {
      text += more;
    },
    () => {},
  );
  if (parsed.kind !== 'command') throw new Error(`${parsed.kind} where a command is due`);
  await parsed.run();
  return text;
}

describe('mash-device settings', () => {
  it('lists every value of the profile, with its range and what it is', async () => {
    const lines = (await printed('settings')).trimEnd().split('\n');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(Object.keys(PROFILE_TABLE));
    const wanted = lines.find((line) => line.startsWith('commissioning.window '));
    expect(wanted?.split(/ {2,}/)).toEqual(['commissioning.window', '120000', '3000…10800000 ms', 'length of the commissioning window']);
  });

  it('heeds --profile and --set', async () => {
    const text = await printed('settings', '--profile', 'reference', '--set', 'zones.slots=3');
    expect(text).toMatch(/commissioning\.window +900000 +180000…10800000 ms/);
    expect(text).toMatch(/zones\.slots +3 +1…16 +zone slots/);
    expect(JSON.parse(await printed('settings', '--json', '--set', 'zones.slots=3'))).toEqual(makeProfile('draft', { 'zones.slots': '3' }));
  });
});
