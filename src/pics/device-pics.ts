import { commissioningSections } from './commissioning.js';
import { discoverySections } from './discovery.js';
import type { PicsDocument } from './format.js';
import { modelSections } from './model.js';
import type { PicsSource } from './source.js';
import { transportSections } from './transport.js';
import { zoneSections } from './zones.js';

/** Every code of pics-registry, commissioning-pase §10, connection-establishment §8 and pics-format §4, with the value of this device. */
export function devicePics(source: PicsSource, firmware: string): PicsDocument {
  const { board, profile } = source;
  return {
    head: ['MASH PICS File', `Device: ${board.brand} ${board.model}, firmware ${firmware}`, 'Version: 1.0', `Profile: ${profile.name}`],
    sections: [
      ...modelSections(source),
      ...transportSections(source),
      ...commissioningSections(source),
      ...zoneSections(source),
      ...discoverySections(source),
    ],
  };
}
