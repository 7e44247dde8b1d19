import test from 'node:test';
import assert from 'node:assert/strict';
import * as der from '../src/der.js';

const hex = (text) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const bad = (text, how = der.element) => assert.throws(() => how(hex(text)), der.DerError, text);

test('headers', () => {
  assert.equal(der.element(hex('04 02 01 02')).content.length, 2);
  bad('04 80 00 00'); // indefinite
  bad('04 81 01 00'); // not minimal
  bad('04 82 00 80' + '00'.repeat(128)); // not minimal
  bad('04 02 01'); // cut
  bad('04 01 01 00'); // left over
  bad('');
  bad('1f 1e 00'); // tag 30 in the long form
  assert.equal(der.element(hex('1f 1f 00')).content.length, 0);
});

test('values', () => {
  const value = (how) => (octets) => how(der.element(octets));
  assert.equal(der.integer(der.element(hex('02 01 80'))), -128n);
  assert.equal(der.integer(der.element(hex('02 02 00 80'))), 128n);
  bad('02 02 00 7f', value(der.integer));
  bad('02 02 ff 80', value(der.integer));
  bad('02 00', value(der.integer));
  bad('01 01 01', value(der.boolean));
  bad('03 02 01 01', value(der.bitString));
  bad('03 01 01', value(der.bitString));
  bad('03 02 08 00', value(der.bitString));
  bad('06 02 80 01', value(der.oid));
  bad('06 01 81', value(der.oid));
  assert.equal(der.oid(der.element(hex('06 03 55 1d 38'))), '2.5.29.56');
  assert.equal(
    der.oid(der.element(hex('06 14 69 81 B9 DF FB 87 D1 F9 DA 92 9F 93 C8 E9 CB 81 88 B8 E4 4F'))),
    '2.25.123451849705716964283098282175778140751',
  );
});

test('sets are sorted', () => {
  assert.equal(der.setOf(der.element(hex('31 06 020101 020102'))).length, 2);
  bad('31 06 020102 020101', (octets) => der.setOf(der.element(octets)));
});

test('any value, all the way down', () => {
  const any = (octets) => der.checkAny(der.element(octets));
  any(hex('30 03 02 01 05'));
  bad('30 04 02 02 00 05', any);
  bad('10 00', any); // a primitive SEQUENCE
  bad('24 02 04 00', any); // a constructed OCTET STRING
  let nested = Buffer.from('0500', 'hex');
  for (let i = 0; i < 15; i++) nested = Buffer.concat([Buffer.from([0x30, nested.length]), nested]);
  any(nested);
  bad(Buffer.concat([Buffer.from([0x30, nested.length]), nested]).toString('hex'), any);
});

test('names', () => {
  const names = (octets) => der.generalNames(der.element(octets));
  assert.deepEqual(names(hex('30 05 82 03 612e62')), [{ kind: 2, text: 'a.b' }]);
  bad('30 00', names);
  bad('30 03 82 01 80', names);
  bad('30 02 a2 00', names);
  bad('30 02 89 00', names);
  assert.equal(names(hex('30 04 a4 02 30 00'))[0].raw.length, 2);
});
