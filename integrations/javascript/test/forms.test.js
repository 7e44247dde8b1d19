import test from 'node:test';
import assert from 'node:assert/strict';
import { isName, isService, isOwnerName, dnsNameMatches } from '../src/names.js';
import { roleOf, startOfRecord, startOfTarget } from '../src/roles.js';
import { fromBase64, fromBase64url } from '../src/base64.js';
import { parseJson } from '../src/json.js';

const json = (text) => parseJson(Buffer.from(text, 'latin1'));

test('names', () => {
  const label = (n) => 'a'.repeat(n);
  for (const name of ['b.example', '1.b.example', 'a-b.test', `${label(63)}.example`, 'xn--bcher-kva.example', 'ab--c.example',
    'xn--i-7iq.example', `${label(63)}.${label(63)}.${label(63)}.${label(61)}`]) assert.ok(isName(name), name);
  for (const name of ['', 'example', 'B.example', 'b.example.', '.example', 'b..example', '-b.example', 'b-.example', '*.example',
    'b_c.example', `${label(64)}.example`, 'b.123', '192.0.2.1', 'b.localhost', 'b.local', 'b.onion', 'b.internal', 'b.invalid',
    'b.arpa', 'xn--a.example', 'xn--abc-.example', 'xn--a-ecp.ru', 'xn--.example', 'xn--0.example',
    `${label(63)}.${label(63)}.${label(63)}.${label(62)}`, 'b.example\n', 7, null]) assert.ok(!isName(name), String(name));
});

test('services', () => {
  for (const service of ['_xmpp-server._tcp', '_a._udp', '_1a._tcp', '_abcdefghijklmno._tcp']) assert.ok(isService(service), service);
  for (const service of ['xmpp-server', '_xmpp-server', '_XMPP._tcp', '_1._tcp', '_-a._tcp', '_a-._tcp', '_a--b._tcp', '_a._sctp',
    '_abcdefghijklmnop._tcp', '__a._tcp', '_._tcp', '_a._tcp.', '_a._tcp\n']) assert.ok(!isService(service), service);
  assert.ok(isOwnerName('_a._tcp', 'a'.repeat(239)) && !isOwnerName('_a._tcp', 'a'.repeat(241)));
});

test('roles', () => {
  assert.deepEqual(roleOf('_xmpps-client._tcp'), roleOf('_xmpp-client._tcp'));
  assert.deepEqual(roleOf('_imaps._tcp').labels, ['_imap._tcp', '_imaps._tcp']);
  assert.deepEqual(roleOf('_sips._tcp').labels, ['_sips._tcp']);
  const starts = (label, direct) => [startOfRecord(roleOf(label), { label }), startOfTarget(roleOf(label), { direct })];
  assert.deepEqual(starts('_ldap._tcp', false), ['starttls', 'starttls']);
  assert.deepEqual(starts('_ldaps._tcp', true), ['direct', 'direct']);
  assert.deepEqual(starts('_sips._tcp', true), ['', 'direct']);
  assert.deepEqual(starts('_sip._udp', true), ['', '']);
});

test('names of certificates', () => {
  assert.ok(dnsNameMatches('X.Example', 'x.example', {}));
  assert.ok(dnsNameMatches('*.hosting.example', 'x.hosting.example', { wildcards: true }));
  assert.ok(!dnsNameMatches('*.hosting.example', 'x.hosting.example', { wildcards: false }));
  assert.ok(!dnsNameMatches('*.hosting.example', 'hosting.example', { wildcards: true }));
  assert.ok(!dnsNameMatches('*.hosting.example', 'a.b.hosting.example', { wildcards: true }));
  assert.ok(!dnsNameMatches('x*.hosting.example', 'x1.hosting.example', { wildcards: true }));
});

test('base64', () => {
  assert.equal(fromBase64url('AQI').length, 2);
  for (const text of ['AQJ', 'AQI=', 'AQ I', 'A', 'AQ+/', 'AQI\n']) assert.equal(fromBase64url(text), null, text);
  assert.equal(fromBase64('AQI=').length, 2);
  for (const text of ['AQI', 'AQJ=', 'AQI=\n', 'AQ==AQ==', '=', 'A_==', 7]) assert.equal(fromBase64(text), null, String(text));
});

test('JSON that is legal', () => {
  assert.equal(json(' 9007199254740991\r\n'), 9007199254740991);
  assert.equal(json('0'), 0);
  assert.deepEqual(json('[ ]'), []);
  assert.deepEqual(json('[[[[1 , 2]]]]'), [[[[1, 2]]]]);
  assert.deepEqual([...json('{"a":{"b":"c d~"}, "" : 1}').keys()], ['a', '']);
  assert.equal(json(`[${Array(32).fill(0)}]`).length, 32);
});

test('JSON that is not', () => {
  const members = (n) => `{${Array.from({ length: n }, (_, i) => `"${i}":0`)}}`;
  assert.equal(json(members(16)).size, 16);
  for (const text of ['', ' ', 'null', 'true', 'false', '-1', '+1', '01', '00', '1.0', '1e3', '1E3', '9007199254740992', '9007199254740993',
    '99999999999999999', '"a', '"\\u0061"', '"\x7f"', '"\x80"', '"\t"', '{"a":1,"a":1}', '{"a":1,}', '[1,]', '[,1]', '[1 2]', '{"a"}', '{a:1}',
    '{"a" 1}', '1 1', '{}x', '\xef\xbb\xbf{}', '[[[[[]]]]]', '[[[[{}]]]]', `[${Array(33).fill(0)}]`, members(17), '[', '{', "'a'", '\x0c1', '.5'])
    assert.throws(() => json(text), Error, text);
});
