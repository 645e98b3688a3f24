import type { DiscoveredService } from '../discovery/discovered.js';
import { txtValue } from '../discovery/txt.js';
import { serviceAddresses } from './addresses.js';
import { discriminatorOf } from './not-found.js';
import type { DeviceAddress } from './zone.js';

/** A device whose commissioning window is open. */
export interface CommissionableDevice {
  /** 0…4095. */
  readonly discriminator: number;
  readonly instance: string;
  /** `mash-1a2b3c4d.local`. */
  readonly host: string;
  /** Best first. */
  readonly addresses: readonly DeviceAddress[];
  readonly brand: string | undefined;
  readonly model: string | undefined;
  readonly serial: string | undefined;
  /** `EVSE`. */
  readonly deviceType: string | undefined;
  /** 0…65535 each, where it announces them. */
  readonly vendorId: number | undefined;
  readonly productId: number | undefined;
}

/** Several devices may have one discriminator: what else is known of the one that is meant. */
export interface DeviceChoice {
  /** Of the label (QR code of six fields), 0…65535 each. */
  readonly label?: { readonly vendorId: number; readonly productId: number } | undefined;
  /** Hosts, in lower case, that are not the one: they did not prove the code. */
  readonly except?: ReadonlySet<string>;
}

/** A device with both services is one device. Best first, by `rank`, then by discriminator. */
export function commissionableDevices(services: readonly DiscoveredService[], choice: DeviceChoice = {}): readonly CommissionableDevice[] {
  const devices = new Map<string, CommissionableDevice>();
  for (const service of services) {
    const discriminator = discriminatorOf(service);
    const host = service.host.toLowerCase();
    if (discriminator === undefined || choice.except?.has(host) === true) continue;
    const key = `${discriminator} ${host}`;
    const before = devices.get(key);
    const text = (name: string): string | undefined => txtValue(service.txt, name);
    devices.set(key, {
      discriminator,
      instance: before?.instance ?? service.instance,
      host: service.host,
      addresses: before?.addresses ?? serviceAddresses(service),
      brand: before?.brand ?? text('brand'),
      model: before?.model ?? text('model'),
      serial: before?.serial ?? text('serial'),
      deviceType: before?.deviceType ?? text('DT'),
      vendorId: before?.vendorId ?? vendorProductOf(service)?.vendorId,
      productId: before?.productId ?? vendorProductOf(service)?.productId,
    });
  }
  return [...devices.values()].sort((a, b) => rank(a, choice) - rank(b, choice) || a.discriminator - b.discriminator);
}

/** 0: of the label's vendor and product, or there is nothing to compare with; 1: tells none; 2: of others. */
export function rank({ vendorId, productId }: CommissionableDevice, { label }: DeviceChoice): number {
  if (label === undefined) return 0;
  if (vendorId === undefined || productId === undefined) return 1;
  return vendorId === label.vendorId && productId === label.productId ? 0 : 2;
}

/** TXT key VP, `1234:0001`. */
function vendorProductOf({ txt }: DiscoveredService): { readonly vendorId: number; readonly productId: number } | undefined {
  const [, vendor, product] = /^([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(txtValue(txt, 'VP') ?? '') ?? [];
  if (vendor === undefined || product === undefined) return undefined;
  return { vendorId: Number.parseInt(vendor, 16), productId: Number.parseInt(product, 16) };
}
