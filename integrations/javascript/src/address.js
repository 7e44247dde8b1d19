// Which addresses may be connected to [H6].

import { BlockList, isIP } from 'node:net';

// The blocks of the IANA IPv4 and IPv6 Special-Purpose Address Registries, whatever these say of them, and multicast. Those
// of IPv6 that are outside of 2000::/3 are not listed one by one.
const notGlobal = {
  4: [
    '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24',
    '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24', '192.168.0.0/16', '192.175.48.0/24', '198.18.0.0/15',
    '198.51.100.0/24', '203.0.113.0/24', '240.0.0.0/4',
    '224.0.0.0/4', // multicast
  ],
  6: [
    '2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20',
    '::/3', '4000::/2', '8000::/1', // outside of 2000::/3
  ],
};

// One list for each family: a BlockList with both takes an IPv4 address to be in ::ffff:0:0/96 and blocks around it.
function blockList(family) {
  const list = new BlockList();
  for (const block of notGlobal[family]) {
    const [network, length] = block.split('/');
    list.addSubnet(network, Number(length), `ipv${family}`);
  }
  return (address) => list.check(address, `ipv${family}`);
}

const isNotGlobal = { 4: blockList(4), 6: blockList(6) };

export function isAddressAllowed(address) {
  if (typeof address !== 'string' || !isIP(address) || address.includes('%')) return false;
  const judged = isIP(address) === 6 ? addressInside(address) ?? address : address;
  return !isNotGlobal[isIP(judged)](judged);
}

// The IPv4 address inside of an IPv4-mapped one (::ffff:0:0/96), or of one of the well-known prefix of NAT64 (64:ff9b::/96).
function addressInside(address) {
  const groups = groupsOf(address);
  const prefix = groups.slice(0, 6).join(':');
  if (prefix !== '0:0:0:0:0:ffff' && prefix !== '64:ff9b:0:0:0:0') return null;
  const [high, low] = groups.slice(6).map((group) => parseInt(group, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

// The eight groups, in lower case without leading zeros: URL writes all forms of an address in one.
function groupsOf(address) {
  const [head, tail = ''] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const [first, last] = [head, tail].map((part) => (part === '' ? [] : part.split(':')));
  return [...first, ...Array(8 - first.length - last.length).fill('0'), ...last];
}
