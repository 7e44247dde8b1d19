import test from 'node:test';
import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, sign } from 'node:crypto';
import * as build from './build.js';
import { checksWith, readCertificate } from '../src/certificate.js';
import { checksAskedFor } from '../src/chain.js';
import { answerCase } from '../src/operations.js';
import { roleOf } from '../src/roles.js';
import { rowOf } from '../src/srv.js';
import { endpoint } from '../src/statement.js';

const { makeChain, makeMessage, makeToken, makeCase, usual, target, seq, set, int, oid, tlv, dns, extension, NULL, NOW, DAY } = build;
const pki = makeChain();

async function reasonOf(body, options = {}) {
  const answer = await answerCase(makeCase(options.pki ?? pki, { body, ...options }));
  assert.equal(answer.skipped, undefined);
  return answer.reason;
}

test('every algorithm, in both encodings', async () => {
  for (const alg of ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA']) {
    const own = makeChain({ alg });
    assert.equal(await reasonOf(makeToken(own), { pki: own }), 'verified', alg);
    assert.equal(await reasonOf(makeMessage(own), { pki: own }), 'verified', alg);
  }
});

test('one statement in two encodings leaves one floor', async () => {
  const one = makeCase(pki, { body: makeToken(pki) });
  const two = makeCase(pki, { body: makeMessage(pki) });
  const [a, b] = [await answerCase(one), await answerCase(two)];
  assert.deepEqual(a, b);
  assert.deepEqual(a.dial, ['xmpp.hosting.example:5269']);
});

test('attribute certificates: one defect each', async () => {
  const noRevAvail = extension('2.5.29.56', NULL);
  const cases = [
    ['malformed-ac', { version: 0 }],
    ['malformed-ac', { uniqueId: true }],
    ['malformed-ac', { attributes: seq() }],
    ['malformed-ac', { extensions: [seq(extension('2.5.29.56', NULL, true))] }],
    ['malformed-ac', { extensions: [seq(extension('2.5.29.56', seq()))] }],
    ['malformed-ac', { extensions: [seq(noRevAvail, extension('2.5.29.35', NULL))] }],
    ['malformed-ac', { holder: seq(tlv(0xa1)) }],
    ['malformed-ac', { holder: seq() }],
    ['holder-mismatch', { holder: seq(tlv(0xa1, dns('evil.example'))) }],
    ['holder-mismatch', { holder: seq(tlv(0xa1, dns(target.host), dns(target.host))) }],
    ['issuer-form', { issuer: seq(tlv(0xa4, build.commonName('b.example'))) }],
    ['issuer-form', { issuer: tlv(0xa0, seq(dns('b.example'))) }],
    ['issuer-form', { issuer: tlv(0xa0) }],
    ['issuer-name-mismatch', { issuer: tlv(0xa0, seq(tlv(0xa4, build.commonName('c.example')))) }],
    ['inner-outer-mismatch', { algorithm: seq(oid('1.2.840.10045.4.3.2'), NULL) }],
    ['bad-serial', { serial: int(0) }],
    ['bad-serial', { serial: tlv(2, Buffer.from([0x80])) }],
    ['bad-serial', { serial: int(1n << 127n) }],
    ['verified', { serial: int((1n << 127n) - 1n) }],
    ['bad-ac-time', { validity: seq(tlv(0x18, Buffer.from('20260701110000.5Z')), build.generalized(usual.exp)) }],
    ['bad-ac-time', { validity: seq(tlv(0x18, Buffer.from('20260231110000Z')), build.generalized(usual.exp)) }],
    ['bad-ac-time', { validity: seq(tlv(0x17, Buffer.from('260701110000Z')), build.generalized(usual.exp)) }],
    ['malformed-attribute', { attributes: seq(seq(oid('1.2.3'), set(NULL))) }],
    ['duplicate-attribute', { attributes: seq(seq(oid('1.2.3'), set(NULL)), seq(oid('1.2.3'), set(NULL))) }],
    ['attribute-version', { attributeVersion: 2 }],
    ['duplicate-extension', { extensions: [seq(noRevAvail, noRevAvail)] }],
    ['critical-extension', { extensions: [seq(noRevAvail, extension('1.2.3', NULL, true))] }],
    ['bad-revocation', { extensions: [] }],
    ['bad-revocation', { extensions: [seq(noRevAvail, extension('2.5.29.31', seq()))] }],
    ['verified', { extensions: [seq(noRevAvail, extension('1.2.3', Buffer.from('junk')))] }],
    ['verified', { members: (ac, chain) => [ac, ...chain].reverse() }],
    ['bag-count', { members: (ac, chain) => chain }],
    ['bag-duplicate', { members: (ac, chain) => [ac, ac, ...chain] }],
    ['signer-hash-mismatch', { members: (ac) => [ac] }],
    ['malformed-bag', { members: (ac, chain) => [ac, ...chain, tlv(0xa3, NULL)] }],
    ['malformed-certificate', { members: (ac, chain) => [ac, ...chain, ...Array.from({ length: 4 }, (_, i) => seq(int(i)))] }],
    ['malformed-bag', { cmsVersion: 3 }],
    ['bag-contents', { digests: [seq(oid('2.16.840.1.101.3.4.2.1'))] }],
    ['bag-contents', { content: [tlv(0xa0, NULL)] }],
    ['bag-contents', { crls: [tlv(0xa1)] }],
    ['bag-contents', { signerInfos: [seq()] }],
    ['chain-not-linear', { members: (ac, chain) => [ac, ...chain, build.issue({ name: 'Other' }).der] }],
    ['verified', { members: (ac, chain) => [ac, pki.root.der, ...chain] }],
  ];
  for (const [i, [reason, change]] of cases.entries()) {
    assert.equal(await reasonOf(makeMessage(pki, usual, change)), reason, `case ${i}`);
  }
});

test('every octet of a message changed is refused', async () => {
  const message = makeMessage(pki);
  for (let at = 0; at < message.length; at += 7) {
    const changed = Buffer.from(message);
    changed[at] ^= 1 << at % 8;
    assert.notEqual(await reasonOf(changed), 'verified', `octet ${at}`);
    assert.notEqual(await reasonOf(message.subarray(0, at)), 'verified', `cut at ${at}`);
  }
});

test('paths', async () => {
  const cases = [
    ['verified', {}],
    ['untrusted-signer', { intermediate: [build.purposes('1.3.6.1.5.5.7.3.2')] }],
    ['verified', { intermediate: [build.purposes('2.5.29.37.0')] }],
    ['signer-ext-key-usage', { leaf: [build.purposes('2.5.29.37.0')] }],
    ['signer-ext-key-usage', { leaf: [build.purposes()] }],
    ['untrusted-signer', { root: [build.purposes('1.3.6.1.5.5.7.3.2')] }],
    ['untrusted-signer', { intermediate: [build.constraints({ excluded: [dns('b.example')] })] }],
    ['untrusted-signer', { intermediate: [build.constraints({ permitted: [dns('c.example')] })] }],
    ['verified', { intermediate: [build.constraints({ permitted: [dns('example')] })] }],
    ['untrusted-signer', { root: [build.constraints({ excluded: [dns('example')] })] }],
    ['untrusted-signer', { intermediate: [build.constraints({ permitted: [tlv(0xa4, build.commonName('B.example'))] })] }],
    ['verified', { intermediate: [build.constraints({ permitted: [tlv(0xa4, build.commonName('C'))] }, false)] }],
    ['untrusted-signer', { intermediate: [build.constraints({ excluded: [dns('x.b.example')] })], names: ['*.b.example'] }],
    ['verified', { intermediate: [build.constraints({ excluded: [dns('a.x.b.example')] })], names: ['*.b.example'] }],
    ['untrusted-signer', { intermediate: [build.constraints({ permitted: [dns('example')] })], names: ['.b.example'] }],
    ['verified', { names: ['.b.example'] }],
    ['untrusted-signer', { intermediate: [extension('1.2.3', NULL, true)] }],
    ['untrusted-signer', { leaf: [extension('1.2.3', NULL, true)] }],
    ['signer-is-ca', { leaf: [build.authority()] }],
    ['signer-key-usage', { leaf: [extension('2.5.29.15', Buffer.from('03020520', 'hex'))] }],
    ['untrusted-signer', { intermediate: [extension('2.5.29.15', Buffer.from('03020780', 'hex'))] }],
    ['verified', { intermediate: [extension('2.5.29.15', Buffer.from('03020204', 'hex'))] }],
    ['untrusted-signer', { root: [extension('2.5.29.15', Buffer.from('03020780', 'hex'))] }],
    ['untrusted-signer', { root: [extension('1.2.3', NULL, true)] }],
    ['verified', { root: [extension('2.5.29.36', seq(tlv(0x80, Buffer.from([0]))), true)] }],
    ['untrusted-signer', { intermediate: [extension('2.5.29.36', seq(tlv(0x80, Buffer.from([0]))), true)] }],
    ['untrusted-signer', { intermediate: [extension('2.5.29.15', Buffer.from('030100', 'hex'), true)] }],
    ['signer-key-usage', { leaf: [extension('2.5.29.15', Buffer.from('030100', 'hex'))] }],
    ['untrusted-signer', { root: [extension('2.5.29.15', Buffer.from('030100', 'hex'))] }],
    ['untrusted-signer', { intermediate: [build.purposes()] }],
    ['untrusted-signer', { root: [build.purposes()] }],
  ];
  for (const [i, [reason, shape]] of cases.entries()) {
    const own = makeChain(shape);
    assert.equal(await reasonOf(makeToken(own), { pki: own }), reason, `case ${i}`);
  }
});

test('order by issuance', async () => {
  const ms = NOW * 1000;
  const [day, soon] = [DAY * 1000, ms + 300000];
  const issuanceOf = async (...leaf) => {
    const own = makeChain({ leaf });
    const one = await answerCase(makeCase(own, { body: makeToken(own) }));
    return one.floor?.order.issuance ?? one.reason;
  };
  assert.equal(await issuanceOf(), '2026-06-21T12:00:00Z');
  assert.equal(await issuanceOf(build.sctList(build.sct(ms - day - 1), build.sct(ms - day + 1), build.sct(ms - 2 * day))), '2026-06-30T12:00:00.001Z');
  assert.equal(await issuanceOf(build.sctList(build.sct(ms, { version: 1 }), build.sct(ms - day))), '2026-06-30T12:00:00Z');
  assert.equal(await issuanceOf(build.sctList(build.sct(ms, { version: 1 }))), '2026-06-21T12:00:00Z');
  assert.equal(await issuanceOf(build.sctList(build.sct(0n))), '1970-01-01T00:00:00Z');
  assert.equal(await issuanceOf(build.sctList(build.sct(soon + 1))), 'signer-not-yet-valid');
  assert.equal(await issuanceOf(build.sctList(build.sct(ms - day), build.sct(2n ** 63n))), 'signer-not-yet-valid');
  assert.equal(await issuanceOf(build.sctList(build.sct(2n ** 64n - 1n))), 'signer-not-yet-valid');
  assert.equal(await issuanceOf(build.sctList(build.sct(soon))), 'issued-before-signer');
  for (const list of [build.sctList(), build.sctList(build.sct(ms, { left: [0] })), build.sctList(Buffer.alloc(0)), build.sctList(build.sct(ms).subarray(0, 100)),
    extension('1.3.6.1.4.1.11129.2.4.2', Buffer.concat([tlv(4, Buffer.from('0003000100', 'hex'), Buffer.from([0]))])),
    extension('1.3.6.1.4.1.11129.2.4.2', Buffer.concat([tlv(4, Buffer.from('00030001ff', 'hex')), Buffer.from([0])])),
    extension('1.3.6.1.4.1.11129.2.4.2', Buffer.from('00030001ff', 'hex')), extension('1.3.6.1.4.1.11129.2.4.2', Buffer.alloc(0))])
    assert.equal(await issuanceOf(list), 'malformed-certificate');
});

test('statements that contradict each other raise the floor', async () => {
  const other = makeToken(pki, { ...usual, targets: [{ ...target, port: 5270 }] });
  const one = makeCase(pki, { body: makeToken(pki) });
  one.evidence.documents.push({ file: 'other', body: other.toString('base64') });
  const both = await answerCase(one);
  assert.equal(both.reason, 'conflict');
  assert.equal(both.floor.targets, '0'.repeat(64));
  assert.equal(await reasonOf(makeToken(pki), { policy: { floor: both.floor } }), 'conflict');
  assert.equal(await reasonOf(makeToken(pki, { ...usual, iat: usual.iat - 1 }), { policy: { floor: both.floor } }), 'superseded');
  assert.equal(await reasonOf(makeToken(pki, { ...usual, iat: usual.iat + 1 }), { policy: { floor: both.floor } }), 'verified');
});

test('a signer that is issued by itself', async () => {
  const signer = build.issue({ name: 'b.example', extensions: [build.altNames(dns('b.example'))] });
  const own = { root: signer, signer, chain: [signer.der] };
  assert.equal(await reasonOf(makeToken(own), { pki: own }), 'untrusted-signer');
});

test('a certificate of this minute, and a clock that is slow', async () => {
  for (const [reason, from] of [['verified', NOW + 300], ['signer-not-yet-valid', NOW + 301]]) {
    const root = build.issue({ name: 'Root', extensions: [build.authority()] });
    const signer = build.issue({ name: 'x', issuer: root, from, extensions: [build.altNames(dns('b.example'))] });
    const own = { root, signer, chain: [signer.der] };
    assert.equal(await reasonOf(makeToken(own, { ...usual, iat: NOW }), { pki: own }), reason);
  }
});

test('TLS from the first byte', async () => {
  const direct = { ...usual, targets: [{ ...target, tls: 'direct' }] };
  const floorOf = async (body) => (await answerCase(makeCase(pki, { body }))).floor?.targets;
  assert.equal(await floorOf(makeToken(pki, direct)), await floorOf(makeMessage(pki, direct)));
  assert.notEqual(await floorOf(makeToken(pki, direct)), await floorOf(makeToken(pki)));
  for (const tls of ['', 'starttls', 'Direct', 1, ['direct']]) assert.equal(await reasonOf(makeToken(pki, { ...usual, targets: [{ ...target, tls }] })), 'malformed-claims');
  for (const hex of ['810100', 'a100', 'a1020500', '0500', '8200'])
    assert.equal(await reasonOf(makeMessage(pki, { ...usual, targets: [{ ...target, tls: Buffer.from(hex, 'hex') }] })), 'malformed-attribute');
});

test('two SRV names make one row [D4]', () => {
  const own = '_xmpp-server._tcp';
  const second = '_xmpps-server._tcp';
  const role = roleOf(own);
  const answer = (label, state, ...records) => ({ label, ttl: 300, state, failure: state === 'failed' ? 'dns-timeout' : null, records });
  const record = (host, port) => ({ target: host, port, priority: 0, weight: 0 });
  const [dot, a, b] = [record('.', 0), record('a.example', 1), record('b.example', 2)];
  const many = Array.from({ length: 33 }, (_, i) => record('a.example', i + 1));
  const cases = [
    ['absent', [], false],
    ['absent', [], false, answer(second, 'insecure'), answer(own, 'secure')],
    ['secure', ['a.example:1'], false, answer(own, 'insecure', b), answer(second, 'secure', a)],
    ['secure', ['a.example:1'], true, answer(own, 'failed'), answer(second, 'secure', a)],
    ['secure', [], false, answer(own, 'insecure', b), answer(second, 'secure', dot)],
    ['failed', [], false, answer(own, 'failed'), answer(second, 'insecure', a)],
    ['failed', [], false, answer(own, 'insecure', dot), answer(second, 'failed')],
    ['failed', [], false, answer(second, 'failed')],
    ['failed', [], false, answer(own, 'secure', ...many)],
    ['insecure', ['a.example:1'], true, answer(own, 'insecure', a), answer(second, 'insecure', ...many)],
    ['insecure', ['b.example:2', 'a.example:1'], false, answer(second, 'insecure', a, b), answer(own, 'insecure', b)],
    ['insecure', [], false, answer(own, 'insecure', dot, record('a.example', 0))],
  ];
  for (const [i, [state, entries, passedOver, ...answers]] of cases.entries()) {
    const row = rowOf(role, answers);
    assert.equal(row.state, state, `case ${i}`);
    assert.equal(row.passedOver, passedOver, `case ${i}`);
    assert.deepEqual(row.entries.map(endpoint), entries, `case ${i}`);
  }
});

test('path length', async () => {
  const root = build.issue({ name: 'Root', extensions: [build.authority()] });
  const first = build.issue({ name: 'First', issuer: root, extensions: [build.authority(0)] });
  const second = build.issue({ name: 'Second', issuer: first, extensions: [build.authority()] });
  const signer = build.issue({ name: 'x', issuer: second, extensions: [build.altNames(dns('b.example'))] });
  const own = { root, signer, chain: [signer.der, second.der, first.der] };
  assert.equal(await reasonOf(makeToken(own), { pki: own }), 'untrusted-signer');
  assert.equal(await reasonOf(makeToken(own), { pki: { root: second } }), 'verified');
  assert.equal(await reasonOf(makeToken(own), { pki: { root: first } }), 'untrusted-signer');
});

test('trust anchors', async () => {
  for (const [reason, shape] of [['untrusted-signer', {}], ['verified', { version: 1 }]]) {
    const root = build.issue({ name: 'Root', ...shape });
    const signer = build.issue({ name: 'x', issuer: root, extensions: [build.altNames(dns('b.example'))] });
    const own = { root, signer, chain: [signer.der] };
    assert.equal(await reasonOf(makeToken(own), { pki: own }), reason, JSON.stringify(shape));
  }
});

test('signatures with SHA-1 count nowhere', async () => {
  const chainBy = (key) => {
    const root = build.issue({ name: 'Root', key, extensions: [build.authority()] });
    const signer = build.issue({ name: 'x', issuer: root, extensions: [build.altNames(dns('b.example'))] });
    return { root, signer, chain: [signer.der] };
  };
  const sha1 = build.makeKey();
  sha1.algorithm = seq(oid('1.2.840.10045.4.1'));
  sha1.sign = (octets) => sign('sha1', octets, sha1.privateKey);
  const pss1 = build.makeKey('RS256');
  pss1.algorithm = seq(oid('1.2.840.113549.1.1.10'), seq());
  pss1.sign = (octets) => sign('sha1', octets, { key: pss1.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 20 });
  for (const [reason, key] of [['untrusted-signer', sha1], ['untrusted-signer', pss1], ['verified', build.makeKey('PS256')]]) {
    const own = chainBy(key);
    assert.equal(await reasonOf(makeToken(own), { pki: own }), reason);
  }
});

test('signature checks that fail are counted [V3]', async () => {
  const strangers = makeChain(); // three checks each: the statement, signer, intermediate
  const record = (body) => `v=DNA1; e=jws; s=${body}`;
  const strange = () => makeToken(strangers);
  const run = (records, files) => {
    const txt = [{ name: '_xmpp-server._tcp._dna.b.example', dnssec: 'insecure', ttl: 300, records: records.map(record) }];
    return reasonOf(undefined, { more: { txt, documents: files.map((body) => ({ file: 'x', body: body.toString('base64') })) } });
  };
  const good = makeToken(pki);
  const strangersOf = (n) => Array.from({ length: n }, strange);
  assert.equal(await run([...strangersOf(3), good], []), 'verified');
  assert.equal(await run([], [...strangersOf(4), good]), 'untrusted-signer');
  assert.equal(await run([], [good, ...strangersOf(6)]), 'verified', 'one that verifies uses up none');
  assert.equal(await run([good], strangersOf(5)), 'verified', 'DNS has its own');
  assert.equal(await run(strangersOf(3), [...strangersOf(4), good]), 'untrusted-signer');
});

test('a peer whose usages are empty [W7f]', async () => {
  const root = build.issue({ name: 'Root', extensions: [build.authority()] });
  const usage = (hex) => extension('2.5.29.15', Buffer.from(hex, 'hex'));
  for (const [reason, ...more] of [['verified'], ['verified', usage('03020780')], ['peer-untrusted', usage('030100')], ['peer-untrusted', usage('03020700')],
    ['peer-untrusted', build.purposes()]]) {
    const { der } = build.issue({ name: 'x', issuer: root, extensions: [build.altNames(dns('b.example')), ...more] });
    const [chain, roots] = [[der], [root.der]].map((list) => list.map((octets) => octets.toString('base64')));
    const { policy, evidence } = makeCase(pki, { body: makeToken(pki) });
    const question = { source: 'b.example', service: '_xmpp-server._tcp', direction: 'incoming' };
    const answer = await answerCase({ operation: 'associate', question, policy, evidence, peer: { chain, roots, time: policy.time } });
    assert.equal(answer.reason, reason);
  }
});

test('what a peer asks for by names [P1]', () => {
  const key = build.makeKey();
  const certificate = (name, by) => readCertificate(build.issue({ name, issuer: { name: by, key }, extensions: [build.authority()] }).der);
  const leaf = certificate('Leaf', 'A');
  const asked = (...names) => checksAskedFor(leaf, names.map(([name, by]) => certificate(name, by)), 12);
  assert.equal(asked(), 0);
  assert.equal(asked(['B', 'A']), 0);
  assert.equal(asked(['A', 'B'], ['B', 'A']), 2);
  assert.equal(asked(['A', 'A'], ['A', 'A']), 4);
  assert.ok(asked(...Array.from({ length: 9 }, () => ['A', 'A'])) > 12);
});

test('keys that count twice [V3]', () => {
  const spki = (type, options) => generateKeyPairSync(type, options).publicKey.export({ type: 'spki', format: 'der' });
  const checks = (type, options) => {
    const key = { ...build.makeKey(), spki: spki(type, options) };
    return checksWith(readCertificate(build.issue({ name: 'x', key, issuer: { name: 'y', key: build.makeKey() } }).der));
  };
  assert.equal(checks('ec', { namedCurve: 'P-384' }), 1);
  assert.equal(checks('ec', { namedCurve: 'P-521' }), 2);
  assert.equal(checks('rsa', { modulusLength: 2048 }), 1);
  assert.equal(checks('rsa', { modulusLength: 2048, publicExponent: 65539 }), 2);
});

test('any input gives an answer', async () => {
  const junk = [undefined, null, 0, '', 'x', [], {}, { operation: 'verify' }, { operation: 'associate', question: 7 }, { operation: '__proto__' },
    { operation: 'reuse', connection: {} }, { operation: 'dnssec' }, { operation: 'dnssec', replies: 7 }, { operation: 'attempts', attempts: 'x' },
    { operation: 'address' }, { operation: 'signer-files', certificate: 'x', key: 'y' }, { operation: 'self-test' }];
  for (const one of junk) {
    const answer = await answerCase(one);
    assert.ok(answer.skipped || answer.outcome, JSON.stringify(one));
  }
  const usualCase = makeCase(pki, { body: makeToken(pki) });
  for (const path of [['query'], ['policy'], ['evidence'], ['query', 'source'], ['policy', 'roots'], ['policy', 'time'], ['evidence', 'documents'],
    ['evidence', 'txt'], ['evidence', 'srv'], ['evidence', 'collected'], ['policy', 'floor'], ['policy', 'max_life'], ['query', 'target']]) {
    for (const value of junk) {
      const changed = structuredClone(usualCase);
      const last = path.at(-1);
      path.slice(0, -1).reduce((object, name) => object[name], changed)[last] = value;
      const answer = await answerCase(changed);
      assert.ok(answer.outcome, `${path} ${JSON.stringify(value)}: ${answer.skipped}`);
    }
  }
});
