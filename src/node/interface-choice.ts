import { existsSync, readFileSync } from 'node:fs';
import { ConfigError } from '../errors.js';

/** What an interface is, as far as the system tells. `port`: a member of a bridge, whatever else it is. */
export type InterfaceKind = 'ethernet' | 'wireless' | 'bridge' | 'port' | 'tunnel';

const KINDS: readonly string[] = ['ethernet', 'wireless', 'bridge', 'port', 'tunnel'] satisfies readonly InterfaceKind[];
const KIND_PREFIX = 'kind:';

/**
 * Left out unless allowed: the peers of a container, a virtual machine or a VPN are not the home network. A bridge of another name may be the
 * home network itself; what arrives at its members arrives at it, so that nobody reaches their addresses.
 */
export const DENIED_BY_DEFAULT: readonly string[] = [
  ...['docker*', 'br-*', 'veth*', 'virbr*', 'vnet*', 'lxc*', 'lxd*', 'podman*', 'cni*', 'flannel*', 'cali*', 'vmnet*', 'vboxnet*'],
  ...['tun*', 'tap*', 'wg*', 'ppp*', 'utun*', 'tailscale*', 'zt*', 'kind:tunnel', 'kind:port'],
];

/** Names (`eth0`), beginnings of names (`eth*`) or kinds (`kind:wireless`). */
export interface InterfaceChoice {
  /** These alone, also those denied by default. */
  readonly allow?: readonly string[] | undefined;
  /** Never these, allowed or not. */
  readonly deny?: readonly string[] | undefined;
}

export type Verdict = 'used' | 'not allowed' | 'denied' | 'denied by default';

/** Throws ConfigError for an empty list and for what is neither a name nor a kind. */
export function checkChoice({ allow, deny }: InterfaceChoice): void {
  if (allow?.length === 0) throw new ConfigError('interfaces', 'the list is empty');
  checkRules('interfaces', [...(allow ?? []), ...(deny ?? [])]);
}

/** The same for the rules of one option. */
export function checkRules(option: string, rules: readonly string[]): void {
  for (const rule of rules) {
    if (rule.startsWith(KIND_PREFIX)) {
      const kind = rule.slice(KIND_PREFIX.length);
      if (!KINDS.includes(kind)) throw new ConfigError(option, `'${kind}' is none of the kinds ${KINDS.join(', ')}`);
    } else if (rule === '' || [...'%/ :'].some((character) => rule.includes(character)) || rule.slice(0, -1).includes('*')) {
      throw new ConfigError(option, `'${rule}' is no interface name`);
    }
  }
}

/** False for a pattern, a kind, and nothing. */
export function isInterfaceName(rule: string): boolean {
  return rule !== '' && !rule.endsWith('*') && !rule.startsWith(KIND_PREFIX);
}

export function judge(choice: InterfaceChoice, name: string, kind: InterfaceKind | undefined): Verdict {
  const matches = (rule: string): boolean => {
    if (rule.startsWith(KIND_PREFIX)) return rule.slice(KIND_PREFIX.length) === kind;
    return rule.endsWith('*') ? name.startsWith(rule.slice(0, -1)) : rule === name;
  };
  if (choice.deny?.some(matches)) return 'denied';
  if (choice.allow !== undefined) return choice.allow.some(matches) ? 'used' : 'not allowed';
  return DENIED_BY_DEFAULT.some(matches) ? 'denied by default' : 'used';
}

/** ARPHRD_* of Linux for links without neighbours: PPP, IP in IP, SIT, GRE, and the nameless one of tun and WireGuard. */
const TUNNEL_TYPES: readonly string[] = ['512', '768', '769', '776', '778', '823', '65534'];

/** From /sys/class/net; undefined where that does not tell. */
export function interfaceKind(name: string, folder = '/sys/class/net'): InterfaceKind | undefined {
  const path = `${folder}/${name}`;
  let type: string;
  try {
    type = readFileSync(`${path}/type`, 'latin1').trim();
  } catch {
    return undefined;
  }
  if (TUNNEL_TYPES.includes(type) || existsSync(`${path}/tun_flags`)) return 'tunnel';
  if (existsSync(`${path}/brport`)) return 'port';
  if (existsSync(`${path}/phy80211`) || existsSync(`${path}/wireless`)) return 'wireless';
  if (existsSync(`${path}/bridge`)) return 'bridge';
  return type === '1' ? 'ethernet' : undefined;
}
