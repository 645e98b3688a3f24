import { type Command, Option } from 'commander';
import { BACK_OFF } from '../../controller/follow.js';
import { NEXT_ADDRESS } from '../../controller/race.js';
import { ADDRESS_TIMEOUT } from '../../controller/tls-client.js';
import { controllerPics } from '../../pics/controller.js';
import { formatPics, formatPicsYaml } from '../../pics/format.js';
import { FIRMWARE_VERSION } from '../../version.js';
import type { Choose } from '../controller-context.js';

/** `mash-controller pics`: what this controller is. */
export function describePics(program: Command, choose: Choose): void {
  program
    .command('pics')
    .description('print the PICS of this controller')
    .addOption(new Option('--format <format>', 'its form').choices(['pics', 'yaml']).default('pics'))
    .action(({ format }: { readonly format: 'pics' | 'yaml' }) =>
      choose(async () => {
        const facts = { backOff: BACK_OFF, addressTimeout: ADDRESS_TIMEOUT, nextAddress: NEXT_ADDRESS };
        const document = controllerPics(facts, FIRMWARE_VERSION);
        const lines = document.sections.flatMap((section) => section.lines.map(({ code, value }) => [code, value] as const));
        return { text: (format === 'yaml' ? formatPicsYaml(document) : formatPics(document)).trimEnd(), value: Object.fromEntries(lines) };
      }),
    );
}
