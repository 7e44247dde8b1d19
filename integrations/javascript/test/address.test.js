import test from 'node:test';
import assert from 'node:assert/strict';
import { isAddressAllowed } from '../src/address.js';

test('addresses', () => {
  for (const address of ['8.8.8.8', '9.255.255.255', '11.0.0.0', '192.31.197.0', '2606:4700::1111', '2001:200::1', '2a00:2::8',
    '::ffff:8.8.8.8', '0:0::FFFF:808:808', '64:ff9b::808:808', '64:ff9b::8.0.0.1', '2a00:1:2:3:4:5:6:7'])
    assert.ok(isAddressAllowed(address), address);
  for (const address of ['10.0.0.1', '0.0.0.0', '127.0.0.1', '255.255.255.255', '224.0.0.1', '192.0.0.8', '192.0.0.9', '192.31.196.1', '192.175.48.6',
    '::', '::1', '::ffff:10.0.0.1', '::ffff:0.0.0.1', '::ffff:192.0.0.9', '64:ff9b::', '64:ff9b::10.0.0.1', '64:ff9b::e000:1', '64:ff9b:1::1', '64:ff9b:1::808:808',
    'fe80::1', 'fe80::1%eth0', 'fd00::1', 'ff02::1', '2001:db8::1', '2001::1', '2001:1::1', '2001:20::1', '2002::1', '2002:808:808::1', '2620:4f:8000::1',
    '4000::1', 'fec0::1', '::127.0.0.1', '::8.8.8.8', '::ffff:0:8.8.8.8', 'x', '', null])
    assert.ok(!isAddressAllowed(address), String(address));
});
