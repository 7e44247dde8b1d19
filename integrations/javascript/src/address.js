// Which addresses may be connected to [H6], by the IANA IPv4 and IPv6 Special-Purpose Address Registries: the blocks that
// they list and do not call globally reachable ("N/A" among them) may not, less the smaller ones inside that they do.
// Of what they do not list, multicast may not, nor IPv6 outside of 2000::/3, which is not assigned to anybody.

import { BlockList, isIP } from 'node:net';

const notGlobal = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24',
  '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '240.0.0.0/4',
  '224.0.0.0/4', // multicast
  '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20',
  '::/3', '4000::/2', '8000::/1', // outside of 2000::/3
];

const global = [
  '192.0.0.9/32', '192.0.0.10/32', '64:ff9b::/96', '2001:1::1/128', '2001:1::2/128', '2001:1::3/128', '2001:3::/32', '2001:4:112::/48',
  '2001:20::/28', '2001:30::/28',
];

// One list for each family: a BlockList with both takes an IPv4 address to be in ::ffff:0:0/96 and blocks around it.
function blockLists(blocks) {
  const lists = { 4: new BlockList(), 6: new BlockList() };
  for (const block of blocks) {
    const [network, length] = block.split('/');
    lists[isIP(network)].addSubnet(network, Number(length), `ipv${isIP(network)}`);
  }
  return (address) => lists[isIP(address)].check(address, `ipv${isIP(address)}`);
}

const isGlobal = blockLists(global);
const isNotGlobal = blockLists(notGlobal);

export function isAddressAllowed(address) {
  if (typeof address !== 'string' || !isIP(address) || address.includes('%')) return false;
  // The registry does not call ::ffff:0:0/96 globally reachable, whatever is in it; Node would look at what is in it.
  if (isIP(address) === 6 && isMapped(address)) return false;
  return isGlobal(address) || !isNotGlobal(address);
}

const isMapped = (address) => /^\[::ffff:[0-9a-f:]+\]$/.test(new URL(`http://[${address}]/`).hostname);
