import test from 'node:test';
import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, sign } from 'node:crypto';
import * as build from './build.js';
import { checksWith, readCertificate } from '../src/certificate.js';
import { checksAskedFor } from '../src/chain.js';
import { answerCase } from '../src/operations.js';

const { makeChain, makeMessage, makeToken, makeCase, usual, target, seq, set, int, oid, tlv, dns, extension, NULL } = build;
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
    ['untrusted-signer', { intermediate: [build.constraints({ permitted: [tlv(0xa4, build.commonName('C'))] })] }],
    ['verified', { intermediate: [build.constraints({ permitted: [tlv(0xa4, build.commonName('B.example'))] })] }],
    ['untrusted-signer', { intermediate: [extension('1.2.3', NULL, true)] }],
    ['untrusted-signer', { leaf: [extension('1.2.3', NULL, true)] }],
    ['signer-is-ca', { leaf: [build.authority()] }],
    ['signer-key-usage', { leaf: [extension('2.5.29.15', Buffer.from('03020520', 'hex'))] }],
    ['untrusted-signer', { intermediate: [extension('2.5.29.15', Buffer.from('03020780', 'hex'))] }],
    ['verified', { intermediate: [extension('2.5.29.15', Buffer.from('03020204', 'hex'))] }],
    ['untrusted-signer', { root: [extension('2.5.29.15', Buffer.from('03020780', 'hex'))] }],
    ['untrusted-signer', { root: [extension('1.2.3', NULL, true)] }],
  ];
  for (const [i, [reason, shape]] of cases.entries()) {
    const own = makeChain(shape);
    assert.equal(await reasonOf(makeToken(own), { pki: own }), reason, `case ${i}`);
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
  const run = (bad, { good = true, copy = false, file = true } = {}) => {
    const body = makeToken(pki);
    const records = Array.from({ length: bad }, () => record(makeToken(strangers)));
    if (good || copy) records.push(record(body));
    const txt = [0, 1].map((n) => ({ // four records at a name at most
      name: `_xmpp${n ? 's' : ''}-server._tcp._dna.b.example`, dnssec: 'insecure', ttl: 300, records: records.slice(4 * n, 4 * n + 4),
    }));
    return reasonOf(body, { file, more: file ? { txt } : { txt, documents: [] } });
  };
  assert.equal(await run(3, { file: false }), 'verified');
  assert.equal(await run(4, { file: false }), 'untrusted-signer');
  assert.equal(await run(5, { good: false, file: false }), 'untrusted-signer');
  assert.equal(await run(4, { good: false }), 'verified', 'documents have their own');
  assert.equal(await run(4, { good: false, copy: true }), 'verified', 'also for what DNS had no checks left for');
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
