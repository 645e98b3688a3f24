import type { FeatureSchema } from '../model/schema.js';
import { attribute, command, enumeration, field, optional, text, uint32 } from '../model/table.js';

export const PriceUnit = { PER_KWH: 0, PER_KVAH: 1 } as const;

/** Tariff, feature 0x07: static tariff metadata: the currency context of the Signals prices. */
export const TARIFF: FeatureSchema = {
  id: 0x07,
  name: 'Tariff',
  attributes: [
    attribute(1, 'tariffId', uint32, { mandatory: true, default: 0 }),
    attribute(2, 'currency', text, { mandatory: true }),
    attribute(3, 'priceUnit', enumeration(PriceUnit), { default: PriceUnit.PER_KWH }),
    attribute(4, 'tariffDescription', text, { nullable: true }),
  ],
  commands: [
    command(
      1,
      'setTariff',
      // features.md §5: absent is unchanged, where the feature's own table makes it mandatory.
      [optional('tariffId', uint32), field('currency', text), optional('priceUnit', enumeration(PriceUnit)), optional('description', text)],
      { mandatory: true },
    ),
  ],
};
