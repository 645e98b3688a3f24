import { Command } from 'commander';
import { PROFILE_TABLE, type Profile, type ProfileKey, rangeOf } from '../profile.js';

/** `mash-device [options] settings`: what `--set` can set, with the values of this configuration. */
export function settingsCommand(
  choose: (work: () => Promise<void>) => void,
  print: (text: string) => void,
  profile: () => Profile,
): Command {
  return new Command('settings')
    .description('list the values of the profile, which --set overrides; every other option is heeded')
    .option('--json', 'as one JSON value')
    .action(({ json }: { readonly json?: true }) => {
      const chosen = profile();
      choose(async () => print(json === true ? `${JSON.stringify(chosen)}\n` : settingsText(chosen)));
    });
}

function settingsText(profile: Profile): string {
  const keys = Object.keys(PROFILE_TABLE) as ProfileKey[];
  const rows = keys.map((key) => [key, String(profile[key]), rangeOf(profile.name, key), PROFILE_TABLE[key].about] as const);
  const width = (column: 0 | 1 | 2): number => Math.max(...rows.map((row) => row[column].length));
  const widths = [width(0), width(1), width(2)] as const;
  const lines = rows.map(([key, value, range, about]) => {
    return `${key.padEnd(widths[0])}  ${value.padStart(widths[1])}  ${range.padEnd(widths[2])}  ${about}`;
  });
  return `${lines.join('\n')}\n`;
}
